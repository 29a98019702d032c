import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Cpu, RefreshCw } from "lucide-react";
import { useCallback, useRef } from "react";
import { workersQuery } from "@/api/queries";
import type { FeedMessage, Worker } from "@/api/shapes";
import { useFeedMessages } from "@/api/use-feed";
import { count, duration } from "@/logic/time";
import { Button } from "@/ui/button";
import { Empty, Failed, Loading } from "@/ui/empty";
import { useNow } from "@/ui/use-now";

const BETWEEN_LOOKS_MS = 2000;

/** The workers that answer, and what each does. */
export function WorkerList() {
  const { data, error, refetch, isFetching } = useQuery({ ...workersQuery, staleTime: 0 });
  const now = useNow();
  useLookAgain();
  if (error && !data) return <Failed error={error} retry={refetch} />;
  if (!data) return <Loading />;
  if (!data.workers.length) {
    return (
      <Empty icon={Cpu} title="No worker answers" code="motia-celery worker">
        Start one, or start everything at once with motia-celery dev:
      </Empty>
    );
  }
  return (
    <>
      <div className="flex items-center justify-end gap-3 px-4 pt-2">
        <Button look="ghost" icon={RefreshCw} disabled={isFetching} onClick={() => void refetch()}>
          Look again
        </Button>
      </div>
      <ul className="divide-y divide-line">
        {data.workers.map((worker) => (
          <WorkerRow key={worker.name} worker={worker} now={now} />
        ))}
      </ul>
    </>
  );
}

/** Asks the workers anew when runs begin or end. */
function useLookAgain() {
  const cache = useQueryClient();
  const lastLook = useRef(0);
  useFeedMessages(
    useCallback(
      (messages: readonly FeedMessage[]) => {
        const now = Date.now();
        if (now - lastLook.current < BETWEEN_LOOKS_MS || !messages.some(({ type }) => type === "run" || type === "queues")) return;
        lastLook.current = now;
        void cache.invalidateQueries({ queryKey: workersQuery.queryKey });
      },
      [cache],
    ),
  );
}

function WorkerRow({ worker, now }: { worker: Worker; now: number }) {
  return (
    <li className="px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-5 gap-y-1">
        <span className="flex min-w-0 items-center gap-2 font-medium">
          <Cpu size={14} aria-hidden className="shrink-0 text-soft" />
          <span className="truncate">{worker.name}</span>
        </span>
        <PoolUse running={worker.running} concurrency={worker.concurrency ?? null} />
        <span className="text-soft">{worker.pool}</span>
        {worker.pid != null && <span className="text-soft tabular-nums">pid {worker.pid}</span>}
        {worker.uptime_seconds != null && <span className="text-soft tabular-nums">up {duration(worker.uptime_seconds * 1000)}</span>}
        {worker.completed != null && <span className="text-soft tabular-nums">{count(worker.completed)} runs done</span>}
      </div>
      <p className="mt-1 text-xs text-soft">{worker.steps?.join(", ") || "It hears no queue."}</p>
      {(worker.runs?.length ?? 0) > 0 && (
        <ul className="mt-1.5 flex flex-col gap-0.5">
          {worker.runs?.map((run) => (
            <li key={run.id} className="flex gap-3">
              <Link to="/flows" search={{ step: run.step }} className="hover:underline">
                {run.step}
              </Link>
              <code className="font-mono text-xs text-faint">{run.id.slice(0, 18)}</code>
              {run.started_at != null && <span className="text-soft tabular-nums">{duration(Math.max(0, now - run.started_at))}</span>}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function PoolUse({ running, concurrency }: { running: number; concurrency: number | null }) {
  const text = concurrency ? `${running} of ${concurrency} busy` : `${running} busy`;
  return (
    <span className="flex items-center gap-2 tabular-nums">
      {concurrency && (
        <span role="meter" aria-label="Pool use" aria-valuemin={0} aria-valuemax={concurrency} aria-valuenow={running} className="h-1.5 w-20 overflow-hidden rounded-full bg-line">
          <span className="block h-full rounded-full bg-accent" style={{ width: `${Math.min(100, (100 * running) / concurrency)}%` }} />
        </span>
      )}
      {text}
    </span>
  );
}
