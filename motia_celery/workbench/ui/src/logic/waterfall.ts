import type { Span, Trace } from "@/api/shapes";

/** One line of a trace's waterfall, ready to be drawn. */
export interface Bar {
  span: Span;
  depth: number;
  /** Shares of the whole width, from 0 to 1. */
  left: number;
  width: number;
  startMs: number;
  durationMs: number | null;
  hasChildren: boolean;
}

export interface Waterfall {
  bars: Bar[];
  startedAt: number;
  totalMs: number;
  ticks: number[];
}

/** The spans in the order of their causes, those that began first on top; `folded` hide what is below. */
export function layWaterfall(spans: readonly Span[], now: number, folded: ReadonlySet<string> = new Set()): Waterfall {
  const startedAt = Math.min(...spans.map((span) => span.started_at));
  const endedAt = Math.max(...spans.map((span) => span.ended_at ?? Math.max(now, span.started_at)));
  const totalMs = spans.length ? Math.max(endedAt - startedAt, 0.001) : 0;
  const children = byParent(spans);
  const bars: Bar[] = [];
  const visit = (span: Span, depth: number) => {
    const below = children.get(span.id) ?? [];
    bars.push(barOf(span, depth, below.length > 0, startedAt, totalMs, now));
    if (!folded.has(span.id)) for (const child of below) visit(child, depth + 1);
  };
  for (const root of children.get(null) ?? []) visit(root, 0);
  return { bars, startedAt: spans.length ? startedAt : 0, totalMs, ticks: ticksOf(totalMs) };
}

function barOf(span: Span, depth: number, hasChildren: boolean, startedAt: number, totalMs: number, now: number): Bar {
  const startMs = span.started_at - startedAt;
  const isOver = span.ended_at !== null && span.ended_at !== undefined;
  const end = isOver ? span.ended_at! : Math.max(now, span.started_at);
  return {
    span,
    depth,
    left: startMs / totalMs,
    width: Math.max(end - span.started_at, 0) / totalMs,
    startMs,
    durationMs: isOver ? end - span.started_at : null,
    hasChildren,
  };
}

/** Spans by their parents; those whose parents are unknown, or their own descendants, are roots. */
function byParent(spans: readonly Span[]): Map<string | null, Span[]> {
  const known = new Map(spans.map((span) => [span.id, span]));
  const children = new Map<string | null, Span[]>();
  const ordered = [...spans].sort((one, other) => one.started_at - other.started_at);
  for (const span of ordered) {
    const parent = span.parent_id && known.has(span.parent_id) && !isLoop(span, known) ? span.parent_id : null;
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  return children;
}

function isLoop(span: Span, known: ReadonlyMap<string, Span>): boolean {
  const seen = new Set([span.id]);
  for (let at = known.get(span.parent_id ?? ""); at; at = known.get(at.parent_id ?? "")) {
    if (seen.has(at.id)) return true;
    seen.add(at.id);
  }
  return false;
}

/** Three to six round moments between the beginning and the end. */
export function ticksOf(totalMs: number): number[] {
  if (totalMs <= 0) return [];
  const rough = totalMs / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
  return Array.from({ length: Math.floor(totalMs / step) + 1 }, (_, at) => at * step);
}

/** How long after a trace began its last run ended; null while it goes on. */
export function traceDuration(trace: Pick<Trace, "started_at" | "ended_at">): number | null {
  const { started_at: start, ended_at: end } = trace;
  return start == null || end == null ? null : end - start;
}
