import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { logsQuery } from "@/api/queries";
import type { Trace } from "@/api/shapes";
import { logFilters } from "@/logic/filters";
import { Failed, Loading } from "@/ui/empty";
import { SearchField, Select } from "@/ui/fields";
import { LEVELS, LogLines } from "@/ui/log-lines";

interface TraceLogsProps {
  trace: Trace;
  search: { text?: string; level?: string };
  onSearch: (change: { text?: string; level?: string }) => void;
}

/** What was logged in a trace, oldest first. */
export function TraceLogs({ trace, search, onSearch }: TraceLogsProps) {
  const { text, level } = search;
  const filters = useMemo(() => logFilters({ trace: trace.id, text, level }), [trace.id, text, level]);
  const { data, error, refetch } = useQuery(logsQuery(filters));
  const lines = useMemo(() => data?.toReversed() ?? [], [data]);
  return (
    <div className="flex min-h-80 flex-1 flex-col lg:min-h-0">
      <div className="flex gap-2 border-b border-line px-4 py-2">
        <SearchField label="Search these logs" value={text ?? ""} onChange={(next) => onSearch({ text: next || undefined })} />
        <Select label="Level" value={level ?? ""} options={LEVELS} onChange={(event) => onSearch({ level: event.target.value || undefined })} />
      </div>
      {error && !data ? <Failed error={error} retry={refetch} /> : !data ? <Loading /> : <LogLines lines={lines} empty="Nothing was logged." isBrief />}
    </div>
  );
}
