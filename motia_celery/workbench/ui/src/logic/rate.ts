import type { Queues } from "@/api/shapes";

/** How fast a queue's depth changes. */
export interface Rate {
  at: number;
  depth: number;
  perSecond: number;
}

/** The rates after one more look at the queues; a queue whose depth stays the same comes to rest. */
export function withDepth(rates: ReadonlyMap<string, Rate>, { at, queues }: Pick<Queues, "at" | "queues">): ReadonlyMap<string, Rate> {
  if ([...rates.values()].some((rate) => rate.at === at)) return rates;
  return new Map(
    queues.map(({ name, depth }) => {
      const known = rates.get(name);
      const now = depth ?? 0;
      const seconds = known ? (at - known.at) / 1000 : 0;
      return [name, { at, depth: now, perSecond: known && seconds > 0 ? (now - known.depth) / seconds : 0 }];
    }),
  );
}
