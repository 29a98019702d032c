import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Pause, Play, ScrollText, SearchX } from "lucide-react";
import { useMemo, useState } from "react";
import { graphQuery, logsQuery } from "@/api/queries";
import type { LogLine } from "@/api/shapes";
import { logFilters } from "@/logic/filters";
import { clock, count } from "@/logic/time";
import { choices } from "@/pages/runs/run-toolbar";
import { Button } from "@/ui/button";
import { Empty, Failed, Loading } from "@/ui/empty";
import { SearchField, Select } from "@/ui/fields";
import { JsonView } from "@/ui/json-view";
import { LEVELS, LogLines } from "@/ui/log-lines";
import { Facts } from "@/ui/page";
import { Page } from "@/ui/page";
import { Panel } from "@/ui/panel";

const route = getRouteApi("/logs");

const FIRST_LINE = `async def handler(data, context):
    context.logger.info("Charged the card", {"order": data["id"]})
    await context.emit({"topic": "order.paid", "data": data})`;

/** Everything that is logged, newest first, live. */
export function LogsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const cache = useQueryClient();
  const filters = useMemo(() => logFilters(search), [search]);
  const query = logsQuery(filters);
  const { data, error, refetch } = useQuery(query);
  const { data: graph } = useQuery(graphQuery);
  const [held, setHeld] = useState<readonly LogLine[] | null>(null);
  const lines = held ?? data ?? [];
  const line = lines.find(({ id }) => id === search.line);
  const steps = graph?.nodes.map(({ name }) => name).sort() ?? [];
  function change(next: typeof search) {
    if (held && !("line" in next)) setHeld(null);
    void navigate({ search: (known) => ({ ...known, ...next }), replace: true });
  }
  const waiting = held ? (cache.getQueryData(query.queryKey)?.findIndex(({ id }) => id === held[0]?.id) ?? 0) : 0;

  return (
    <Page
      title="Logs"
      count={data && count(lines.length)}
      actions={
        <Button icon={held ? Play : Pause} onClick={() => setHeld(held ? null : (data ?? []))} aria-pressed={held !== null}>
          {held ? (waiting > 0 ? `Resume (${count(waiting)} new)` : "Resume") : "Pause"}
        </Button>
      }
      toolbar={
        <>
          <SearchField label="Text in the message" value={filters.text} onChange={(text) => change({ text: text || undefined })} />
          <Select label="Level" value={filters.level} options={LEVELS} onChange={(event) => change({ level: event.target.value || undefined })} />
          <Select label="Step" value={filters.step} options={choices("Any Step", steps, filters.step)} onChange={(event) => change({ step: event.target.value || undefined })} />
          <SearchField label="Trace id" value={filters.trace} onChange={(trace) => change({ trace: trace.trim().toLowerCase() || undefined })} className="sm:max-w-40" />
        </>
      }
    >
      {error && !data ? (
        <Failed error={error} retry={refetch} />
      ) : !data ? (
        <Loading />
      ) : lines.length === 0 ? (
        Object.values(filters).some(Boolean) ? (
          <Empty icon={SearchX} title="No line is like that yet">New ones appear as they are logged.</Empty>
        ) : (
          <Empty icon={ScrollText} title="Nothing has been logged yet" code={FIRST_LINE} />
        )
      ) : (
        <div className="flex min-h-0 flex-1">
          <LogLines lines={lines} empty="" selected={search.line} onSelect={({ id }) => change({ line: id })} />
          {line && <LinePanel line={line} onClose={() => change({ line: undefined })} />}
        </div>
      )}
    </Page>
  );
}

function LinePanel({ line, onClose }: { line: LogLine; onClose: () => void }) {
  return (
    <Panel label="The log line" title={line.level.toUpperCase()} onClose={onClose}>
      <div className="flex flex-col gap-4 p-4">
        <p className="font-mono text-xs leading-relaxed break-words whitespace-pre-wrap">{line.message}</p>
        <Facts
          facts={[
            ["Time", clock(line.at, Date.now())],
            ["Step", line.step ? <Link key="step" to="/flows" search={{ step: line.step }} className="text-accent hover:underline">{line.step}</Link> : "–"],
            [
              "Trace",
              line.trace_id ? (
                <Link key="trace" to="/runs/$trace" params={{ trace: line.trace_id }} search={{ run: line.run_id ?? undefined }} className="font-mono text-xs text-accent hover:underline">
                  {line.trace_id.slice(0, 16)}
                </Link>
              ) : (
                "–"
              ),
            ],
          ]}
        />
        {Object.keys(line.fields ?? {}).length > 0 && <JsonView label="Fields" value={line.fields} />}
      </div>
    </Panel>
  );
}
