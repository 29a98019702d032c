import type { RunDetail, Span, Trace } from "@/api/shapes";

/** A trace's spans, and those that can be told from its runs where none were kept. */
export function spansOf(trace: Trace): Span[] {
  const covered = new Set(trace.spans.map((span) => span.run_id));
  return [...trace.spans, ...trace.runs.filter((run) => !covered.has(run.id)).flatMap(spansOfRun)];
}

function spansOfRun(run: RunDetail): Span[] {
  const began = run.queued_at ?? run.started_at;
  if (began == null) return [];
  const parent = run.parent_id ?? null;
  const status = run.status === "failed" ? "error" : run.ended_at == null ? "running" : "ok";
  const whole: Span = {
    id: run.id,
    parent_id: parent,
    run_id: run.id,
    kind: run.trigger === "http" ? "request" : "run",
    name: run.step,
    started_at: run.started_at ?? began,
    ended_at: run.ended_at ?? null,
    status,
    details: {},
  };
  if (run.queued_at == null || run.trigger === "http") return [whole];
  return [{ ...whole, id: `${run.id} wait`, kind: "wait", name: "queue", started_at: run.queued_at, ended_at: run.started_at ?? null, status: "ok", parent_id: run.id }, whole];
}

/** The run to look at first: the one that failed, else the first. */
export function firstRun(trace: Trace): RunDetail | undefined {
  return trace.runs.find((run) => run.status === "failed") ?? trace.runs[0];
}
