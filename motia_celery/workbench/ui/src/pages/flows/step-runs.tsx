import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { runsQuery } from "@/api/queries";
import { runFilters } from "@/logic/filters";
import { distance, duration } from "@/logic/time";
import { Failed, Loading } from "@/ui/empty";
import { Status } from "@/ui/status";
import { useNow } from "@/ui/use-now";

const SHOWN = 30;

/** The latest runs of a Step. */
export function StepRuns({ step }: { step: string }) {
  const { data, error, refetch } = useInfiniteQuery(runsQuery(runFilters({ step })));
  const now = useNow();
  if (error) return <Failed error={error} retry={refetch} />;
  if (!data) return <Loading />;
  const runs = data.pages.flatMap((page) => page.runs).slice(0, SHOWN);
  if (!runs.length) return <p className="p-4 text-soft">It has not run yet.</p>;
  return (
    <div className="p-2">
      <ul>
        {runs.map((run) => (
          <li key={run.id}>
            <Link
              to="/runs/$trace"
              params={{ trace: run.trace_id }}
              search={{ run: run.id }}
              className="flex h-8 items-center gap-3 rounded-md px-2 hover:bg-hover"
            >
              <Status status={run.status} className="w-28" />
              <code className="font-mono text-xs text-soft">{run.trace_id.slice(0, 8)}</code>
              <span className="ml-auto text-soft tabular-nums">{run.duration_ms == null ? "" : duration(run.duration_ms)}</span>
              <span className="w-20 text-right text-soft tabular-nums">{distance(run.queued_at ?? run.started_at ?? now, now)}</span>
            </Link>
          </li>
        ))}
      </ul>
      <Link to="/runs" search={{ step }} className="mt-1 inline-block px-2 text-accent hover:underline">
        All its runs
      </Link>
    </div>
  );
}
