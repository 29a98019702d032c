import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Payload, RunDetail, Trace } from "@/api/shapes";
import { spansOf } from "@/logic/spans";
import { bytes, clock, duration } from "@/logic/time";
import { ErrorView } from "@/ui/error-view";
import { Id, JsonView } from "@/ui/json-view";
import { Facts, Section } from "@/ui/page";
import { Status } from "@/ui/status";
import { RunActions } from "./run-actions";
import { SPAN_LOOKS } from "./span-looks";

interface RunPanelProps {
  run: RunDetail;
  trace: Trace;
  span: string | undefined;
}

/** One run: how it went, what went in and out, and why it failed. */
export function RunPanel({ run, trace, span: spanId }: RunPanelProps) {
  const span = spansOf(trace).find((each) => each.id === spanId);
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-5 overflow-auto p-4">
      <div className="flex flex-wrap items-center gap-2">
        <Link to="/flows" search={{ step: run.step }} className="min-w-0 truncate font-semibold hover:underline">
          {run.step}
        </Link>
        <Status status={run.status} />
        <div className="ml-auto flex gap-2">
          <RunActions run={run} />
        </div>
      </div>
      {run.error && <ErrorView error={run.error} step={run.step} />}
      {span && Object.keys(span.details ?? {}).length > 0 && (
        <Section title={`${SPAN_LOOKS[span.kind].word}: ${span.name}`}>
          <JsonView label="Details of the span" value={span.details} className="max-h-60 overflow-hidden" />
        </Section>
      )}
      <Facts facts={factsOf(run)} />
      {run.attempts.length > 1 && <Attempts run={run} />}
      <Value title="Input" payload={run.input} />
      <Value title="Output" payload={run.output} />
    </div>
  );
}

function factsOf(run: RunDetail): [string, ReactNode][] {
  const now = Date.now();
  const facts: [string, ReactNode][] = [
    ["Run", <Id key="id" value={run.id} length={18} />],
    ["Started by", run.topic ? `${run.trigger} on ${run.topic}` : run.trigger],
  ];
  if (run.flows.length) facts.push(["Flows", run.flows.join(", ")]);
  if (run.queued_at != null) facts.push(["Queued", clock(run.queued_at, now)]);
  if (run.wait_ms != null) facts.push(["Waited", duration(run.wait_ms)]);
  if (run.duration_ms != null) facts.push(["Took", duration(run.duration_ms)]);
  facts.push(["Attempt", `${run.attempt} of at most ${run.max_attempts}`]);
  return facts;
}

function Attempts({ run }: { run: RunDetail }) {
  return (
    <Section title="Attempts">
      <ol className="flex flex-col gap-1">
        {run.attempts.map(({ number, status, worker, started_at, ended_at, error }) => (
          <li key={number} className="flex flex-wrap items-center gap-x-3">
            <span className="w-4 text-soft tabular-nums">{number}</span>
            <Status status={status} className="w-24" />
            <span className="text-soft tabular-nums">{started_at != null && ended_at != null ? duration(ended_at - started_at) : ""}</span>
            <span className="min-w-0 flex-1 truncate text-xs text-soft" title={error ? `${error.type}: ${error.message}` : (worker ?? "")}>
              {error ? `${error.type}: ${error.message}` : worker}
            </span>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Value({ title, payload }: { title: string; payload: Payload | null | undefined }) {
  if (!payload) return null;
  const aside = payload.truncated ? (
    <span className="text-xs text-warn">Cut{payload.size_bytes != null && `: it has ${bytes(payload.size_bytes)}`}</span>
  ) : undefined;
  return (
    <Section title={title} aside={aside}>
      <JsonView label={title} value={payload.value ?? null} />
    </Section>
  );
}
