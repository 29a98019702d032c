import { describe, expect, it } from "vitest";
import type { Span } from "@/api/shapes";
import { layWaterfall, ticksOf } from "./waterfall";

function span(id: string, parent: string | null, from: number, to: number | null): Span {
  return { id, parent_id: parent, run_id: null, kind: "run", name: id, started_at: from, ended_at: to, status: "ok", details: {} };
}

describe("layWaterfall", () => {
  it("puts each span below its cause, those that began first on top", () => {
    const { bars } = layWaterfall([span("late", "root", 30, 40), span("early", "root", 10, 20), span("root", null, 0, 50), span("inner", "early", 12, 15)], 0);
    expect(bars.map((bar) => [bar.span.id, bar.depth])).toEqual([["root", 0], ["early", 1], ["inner", 2], ["late", 1]]);
  });

  it("places bars as shares of the whole", () => {
    const { bars, totalMs } = layWaterfall([span("root", null, 1000, 1100), span("half", "root", 1050, 1075)], 0);
    expect(totalMs).toBe(100);
    expect(bars[1]).toMatchObject({ left: 0.5, width: 0.25, startMs: 50, durationMs: 25 });
  });

  it("lets a span that goes on reach until now", () => {
    const { bars, totalMs } = layWaterfall([span("root", null, 1000, null)], 1400);
    expect(totalMs).toBe(400);
    expect(bars[0]).toMatchObject({ width: 1, durationMs: null });
  });

  it("hides what is below a folded span", () => {
    const spans = [span("root", null, 0, 9), span("child", "root", 1, 2)];
    const { bars } = layWaterfall(spans, 0, new Set(["root"]));
    expect(bars.map((bar) => bar.span.id)).toEqual(["root"]);
    expect(bars[0]!.hasChildren).toBe(true);
  });

  it("shows spans whose cause is unknown, and those that cause each other", () => {
    const { bars } = layWaterfall([span("orphan", "gone", 0, 1), span("a", "b", 2, 3), span("b", "a", 3, 4)], 0);
    expect(new Set(bars.map((bar) => bar.span.id))).toEqual(new Set(["orphan", "a", "b"]));
  });

  it("takes a trace without spans, and one that took no time", () => {
    expect(layWaterfall([], 5)).toEqual({ bars: [], startedAt: 0, totalMs: 0, ticks: [] });
    expect(layWaterfall([span("dot", null, 5, 5)], 5).bars[0]).toMatchObject({ left: 0, width: 0 });
  });
});

describe("ticksOf", () => {
  it.each([[100, [0, 20, 40, 60, 80, 100]], [7, [0, 2, 4, 6]], [1234, [0, 500, 1000]], [0, []]])("divides %d ms", (total, ticks) => {
    expect(ticksOf(total)).toEqual(ticks);
  });
});
