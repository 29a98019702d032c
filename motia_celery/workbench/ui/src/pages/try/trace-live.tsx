import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight, Hourglass } from "lucide-react";
import { appQuery, traceQuery } from "@/api/queries";
import { duration } from "@/logic/time";
import { Status } from "@/ui/status";

/** The runs of a trace as they happen. */
export function TraceLive({ trace: id }: { trace: string }) {
  const { data: app } = useQuery(appQuery);
  const isKept = app?.has_records ?? true;
  const { data: trace } = useQuery({ ...traceQuery(id), retry: false, enabled: isKept });
  return (
    <section aria-label="The trace that was started" className="rounded-md border border-line">
      <header className="flex items-center gap-2 border-b border-line px-3 py-1.5">
        <h3 className="text-xs font-semibold text-soft">Trace</h3>
        <code className="font-mono text-xs">{id.slice(0, 8)}</code>
        <Link to="/runs/$trace" params={{ trace: id }} className="ml-auto flex items-center gap-1 text-accent hover:underline">
          Open <ArrowRight size={13} aria-hidden />
        </Link>
      </header>
      {trace?.runs.length ? (
        <ol className="p-1">
          {trace.runs.map((run) => (
            <li key={run.id}>
              <Link to="/runs/$trace" params={{ trace: id }} search={{ run: run.id }} className="flex h-7 items-center gap-3 rounded px-2 hover:bg-hover">
                <Status status={run.status} className="w-28 shrink-0" />
                <span className="min-w-0 truncate">{run.step}</span>
                {run.error && <span className="min-w-0 truncate text-xs text-bad">{run.error.message}</span>}
                <span className="ml-auto shrink-0 text-soft tabular-nums">{run.duration_ms == null ? "" : duration(run.duration_ms)}</span>
              </Link>
            </li>
          ))}
        </ol>
      ) : (
        <p className="flex items-center gap-2 px-3 py-2 text-soft">
          <Hourglass size={13} aria-hidden /> {isKept ? "Its first run is awaited." : "This app keeps no record of its runs."}
        </p>
      )}
    </section>
  );
}
