import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import type { Run } from "@/api/shapes";
import { clock, distance, duration } from "@/logic/time";
import { KINDS } from "@/ui/kinds";
import { Status } from "@/ui/status";
import { type Column, WHOLE_ROW } from "@/ui/virtual-table";

/** The columns of the list of runs, at a moment. */
export function runColumns(now: number): Column<Run>[] {
  return [
    { title: "Status", size: "7rem", narrow: "6.5rem", cell: (run) => <Status status={run.status} /> },
    { title: "Step", size: "minmax(8rem, 1.2fr)", narrow: "minmax(0, 1fr)", cell: (run) => <StepLink run={run} /> },
    { title: "Started by", size: "minmax(7.5rem, 1fr)", cell: (run) => <StartedBy run={run} /> },
    { title: "Error", size: "minmax(0, 2.4fr)", cell: errorOf },
    { title: "Flow", size: "minmax(4rem, 0.8fr)", roomy: true, cell: (run) => <span className="text-soft">{run.flows.join(", ")}</span> },
    { title: "Wait", size: "4rem", roomy: true, right: true, cell: (run) => <Milliseconds value={run.wait_ms} /> },
    { title: "Duration", size: "4.5rem", narrow: "4rem", right: true, cell: (run) => <Milliseconds value={durationOf(run, now)} /> },
    { title: "Tries", size: "3rem", right: true, cell: triesOf },
    { title: "Trace", size: "4.75rem", cell: (run) => <code className="font-mono text-xs text-soft">{run.trace_id.slice(0, 8)}</code> },
    { title: "When", size: "5rem", narrow: "4.25rem", right: true, cell: (run) => <When run={run} now={now} /> },
  ];
}

function StepLink({ run }: { run: Run }) {
  return (
    <Link to="/runs/$trace" params={{ trace: run.trace_id }} search={{ run: run.id }} className={clsx("font-medium", WHOLE_ROW)}>
      {run.step}
    </Link>
  );
}

function StartedBy({ run }: { run: Run }) {
  const { icon: Icon, color, word } = KINDS[run.trigger];
  return (
    <span className="flex items-center gap-1.5 text-soft">
      <Icon size={13} aria-hidden className={clsx("shrink-0", color)} />
      <span className="truncate">{run.topic || word}</span>
    </span>
  );
}

function errorOf(run: Run) {
  if (!run.error) return null;
  const text = `${run.error.type}: ${run.error.message}`;
  return (
    <span title={text} className="text-bad">
      {text}
    </span>
  );
}

function triesOf(run: Run) {
  return <span className={run.attempt > 1 ? "text-warn" : "text-soft"}>{`${run.attempt}/${run.max_attempts}`}</span>;
}

function durationOf(run: Run, now: number): number | null {
  if (run.duration_ms != null) return run.duration_ms;
  return run.status === "running" && run.started_at != null ? Math.max(0, now - run.started_at) : null;
}

function Milliseconds({ value }: { value: number | null | undefined }) {
  return <>{value == null ? <span className="text-faint">–</span> : duration(value)}</>;
}

function When({ run, now }: { run: Run; now: number }) {
  const moment = run.queued_at ?? run.started_at;
  if (moment == null) return null;
  return (
    <time dateTime={new Date(moment).toISOString()} title={clock(moment, now)} className="text-soft">
      {distance(moment, now)}
    </time>
  );
}
