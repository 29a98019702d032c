import type { GraphNode } from "@/api/shapes";

/** A Step as Motia's Workbench gives it to what draws it. */
export interface MotiaData extends Record<string, unknown> {
  id: string;
  name: string;
  type: "api" | "event" | "cron" | "noop";
  description?: string;
  language: string;
  filePath: string;
  flows: readonly string[];
  emits: readonly Topic[];
  subscribes: readonly string[];
  virtualEmits: readonly Topic[];
  virtualSubscribes: readonly string[];
  action?: "webhook";
  method?: string;
  path?: string;
  webhookUrl?: string;
  cronExpression?: string;
  nodeConfig: { sourceHandlePosition: "bottom" | "right"; targetHandlePosition: "top" | "left" };
}

type Topic = string | { topic: string; label?: string; conditional?: boolean };

/** The data of a Step's node; `down` and `fromAbove` say at which sides its arrows are. */
export function motiaData(node: GraphNode, down: boolean, fromAbove: boolean): MotiaData {
  const [route] = node.routes;
  const [cron] = node.crons;
  return {
    id: node.id,
    name: node.name,
    type: typeOf(node),
    ...(node.description ? { description: node.description } : {}),
    language: node.language,
    filePath: node.file,
    flows: node.flows,
    emits: node.emits.map(topicOf),
    subscribes: node.subscribes,
    virtualEmits: node.virtual_emits.map(topicOf),
    virtualSubscribes: node.virtual_subscribes,
    ...(route ? webhook(route) : {}),
    ...(cron ? { cronExpression: cron } : {}),
    nodeConfig: { sourceHandlePosition: down ? "bottom" : "right", targetHandlePosition: fromAbove ? "top" : "left" },
  };
}

function typeOf({ kind }: GraphNode): MotiaData["type"] {
  if (kind === "http") return "api";
  return kind === "cron" || kind === "noop" ? kind : "event";
}

function webhook(route: string): Partial<MotiaData> {
  const [method, path] = route.split(" ", 2);
  return { action: "webhook", method, path, webhookUrl: route };
}

function topicOf({ topic, label, conditional }: GraphNode["emits"][number]): Topic {
  return label || conditional ? { topic, ...(label ? { label } : {}), ...(conditional ? { conditional } : {}) } : topic;
}
