import type { Cron, Route, Topic } from "@/api/shapes";

/** Something that can be started by hand. */
export type Target =
  | { kind: "route"; name: string; hint: string; route: Route }
  | { kind: "topic"; name: string; hint: string; topic: Topic }
  | { kind: "cron"; name: string; hint: string; cron: Cron };

/** Routes, then topics, then crons. */
export function targetsOf(routes: readonly Route[], topics: readonly Topic[], crons: readonly Cron[]): Target[] {
  return [
    ...routes.map((route): Target => ({ kind: "route", name: `${route.method} ${route.path}`, hint: route.step, route })),
    ...topics
      .filter((topic) => !topic.is_pattern)
      .map((topic): Target => ({ kind: "topic", name: topic.topic, hint: topic.heard_by?.join(", ") ?? "", topic })),
    ...crons.map((cron): Target => ({ kind: "cron", name: cron.step, hint: cron.expressions.join(", "), cron })),
  ];
}

export function findTarget(targets: readonly Target[], kind: string | undefined, name: string | undefined): Target | undefined {
  return targets.find((target) => target.kind === kind && target.name === name);
}
