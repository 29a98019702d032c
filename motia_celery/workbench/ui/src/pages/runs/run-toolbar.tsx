import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { graphQuery } from "@/api/queries";
import { type RunFilters } from "@/logic/filters";
import { Button } from "@/ui/button";
import { SearchField, Select } from "@/ui/fields";

type Change = { [Each in keyof RunFilters]?: string | undefined };

interface RunToolbarProps {
  filters: RunFilters;
  onChange: (change: Change) => void;
}

const STATUSES = [
  ["", "Any status"],
  ["queued", "Queued"],
  ["running", "Running"],
  ["retrying", "Retrying"],
  ["completed", "Succeeded"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
] as const;

const TIMES = [
  ["", "Any time"],
  ["15m", "Last 15 minutes"],
  ["1h", "Last hour"],
  ["24h", "Last day"],
  ["7d", "Last week"],
] as const;

const NOTHING: Change = { step: undefined, flow: undefined, status: undefined, trace: undefined, text: undefined, since: undefined };

/** Which runs to show. */
export function RunToolbar({ filters, onChange }: RunToolbarProps) {
  const { data: graph } = useQuery(graphQuery);
  const steps = graph?.nodes.map(({ name }) => name).sort() ?? [];
  const flows = graph?.flows.flatMap(({ name }) => (name ? [name] : [])) ?? [];
  const isFiltered = Object.values(filters).some(Boolean);
  return (
    <>
      <SearchField label="Text in the error" value={filters.text} onChange={(text) => onChange({ text: text || undefined })} />
      <Select label="Status" value={filters.status} options={STATUSES} onChange={(event) => onChange({ status: event.target.value || undefined })} />
      <Select label="Step" value={filters.step} options={choices("Any Step", steps, filters.step)} onChange={(event) => onChange({ step: event.target.value || undefined })} />
      <Select label="Flow" value={filters.flow} options={choices("Any flow", flows, filters.flow)} onChange={(event) => onChange({ flow: event.target.value || undefined })} />
      <Select label="Time" value={filters.since} options={TIMES} onChange={(event) => onChange({ since: event.target.value || undefined })} />
      <SearchField label="Trace id" value={filters.trace} onChange={(trace) => onChange({ trace: trace.trim().toLowerCase() || undefined })} className="sm:max-w-40" />
      {isFiltered && (
        <Button look="ghost" icon={X} onClick={() => onChange(NOTHING)}>
          Clear
        </Button>
      )}
    </>
  );
}

/** Names to choose from; one that is chosen but gone is among them. */
export function choices(any: string, names: readonly string[], chosen: string): (readonly [string, string])[] {
  const all = chosen && !names.includes(chosen) ? [chosen, ...names] : names;
  return [["", any], ...all.map((name) => [name, name] as const)];
}
