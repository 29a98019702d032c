import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Activity } from "lucide-react";
import { ApiError } from "@/api/client";
import { traceQuery } from "@/api/queries";
import { firstRun } from "@/logic/spans";
import { clock, duration } from "@/logic/time";
import { traceDuration } from "@/logic/waterfall";
import { Empty, Failed, Loading } from "@/ui/empty";
import { Tabs } from "@/ui/fields";
import { Id } from "@/ui/json-view";
import { Page } from "@/ui/page";
import { Status } from "@/ui/status";
import { useNow } from "@/ui/use-now";
import { RunPanel } from "./run-panel";
import { TraceActions } from "./trace-actions";
import { TraceLogs } from "./trace-logs";
import { WaterfallView } from "./waterfall-view";

const route = getRouteApi("/runs/$trace");
const VIEWS = [
  ["run", "Run"],
  ["logs", "Logs"],
] as const;

/** All runs from one cause: when each happened, what went in and out, and what was logged. */
export function TracePage() {
  const { trace: id } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: trace, error, refetch } = useQuery(traceQuery(id));
  const now = useNow();

  if (error && !trace) return error instanceof ApiError && error.status === 404 ? <Unknown id={id} /> : <Failed error={error} retry={refetch} />;
  if (!trace) return <Loading />;
  const run = trace.runs.find((each) => each.id === search.run) ?? firstRun(trace);
  const change = (next: typeof search) => void navigate({ search: (known) => ({ ...known, ...next }), replace: true });
  const view = search.view === "logs" ? "logs" : "run";
  return (
    <Page
      title={trace.name || "Trace"}
      count={<Summary status={trace.status} took={traceDuration(trace)} startedAt={trace.started_at} now={now} />}
      actions={
        <>
          <Id value={trace.id} />
          <TraceActions trace={trace} />
        </>
      }
    >
      <div className="flex min-h-0 flex-1 flex-col overflow-auto lg:flex-row lg:overflow-hidden">
        <WaterfallView
          trace={trace}
          selected={search.span ?? run?.id}
          onSelect={(span) => change({ span: span.id, run: span.run_id ?? run?.id })}
        />
        <section aria-label="Details" className="flex min-h-96 min-w-0 flex-col border-t border-line lg:min-h-0 lg:w-[30rem] lg:shrink-0 lg:border-t-0 lg:border-l">
          <div className="border-b border-line px-4 py-2">
            <Tabs label="Details" tabs={VIEWS} value={view} onChange={(next) => change({ view: next === "run" ? undefined : next })} />
          </div>
          {view === "logs" ? (
            <TraceLogs
              trace={trace}
              search={search}
              onSearch={change}
            />
          ) : run ? (
            <RunPanel run={run} trace={trace} span={search.span} />
          ) : (
            <p className="p-4 text-soft">No run is known yet.</p>
          )}
        </section>
      </div>
    </Page>
  );
}

interface SummaryProps {
  status: string;
  took: number | null;
  startedAt: number | null | undefined;
  now: number;
}

function Summary({ status, took, startedAt, now }: SummaryProps) {
  return (
    <span className="flex flex-wrap items-center gap-x-3">
      <Status status={status} />
      {startedAt != null && <span>{took === null ? duration(Math.max(0, now - startedAt)) : duration(took)}</span>}
      {startedAt != null && <time dateTime={new Date(startedAt).toISOString()}>{clock(startedAt, now)}</time>}
    </span>
  );
}

function Unknown({ id }: { id: string }) {
  return (
    <Page title="Trace" actions={<Id value={id} length={32} />}>
      <Empty icon={Activity} title="Nothing is known of this trace">
        It has not begun yet, and appears here when it does; or its record has been deleted.
      </Empty>
    </Page>
  );
}
