import { expect, it } from "vitest";
import type { Queue } from "@/api/shapes";
import { withDepth } from "./rate";

const look = (at: number, depth: number) => ({ at, queues: [{ name: "a", depth } as Queue] });

it("tells how fast a queue grows and shrinks", () => {
  let rates = withDepth(new Map(), look(1000, 10));
  expect(rates.get("a")!.perSecond).toBe(0);
  rates = withDepth(rates, look(3000, 30));
  expect(rates.get("a")!.perSecond).toBe(10);
  rates = withDepth(rates, look(4000, 25));
  expect(rates.get("a")!.perSecond).toBe(-5);
});

it("takes one look once", () => {
  const rates = withDepth(new Map(), look(1000, 10));
  expect(withDepth(rates, look(1000, 10))).toBe(rates);
});
