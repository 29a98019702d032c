import { useQuery } from "@tanstack/react-query";
import { graphQuery } from "@/api/queries";
import { type LetterFilters, REASONS } from "@/logic/letters";
import { SearchField, Select } from "@/ui/fields";
import { choices } from "@/pages/runs/run-toolbar";

interface LetterToolbarProps {
  filters: LetterFilters;
  onChange: (change: { [Each in keyof LetterFilters]?: string | undefined }) => void;
}

/** Which dead letters to show. */
export function LetterToolbar({ filters, onChange }: LetterToolbarProps) {
  const { data: graph } = useQuery(graphQuery);
  const steps = graph?.nodes.filter((node) => node.kind !== "noop").map(({ name }) => name) ?? [];
  return (
    <>
      <SearchField label="Text in the error" value={filters.error} onChange={(error) => onChange({ error: error || undefined })} />
      <Select label="Step" value={filters.step} options={choices("Any Step", steps, filters.step)} onChange={(event) => onChange({ step: event.target.value || undefined })} />
      <Select label="Reason" value={filters.reason} options={choices("Any reason", REASONS, filters.reason)} onChange={(event) => onChange({ reason: event.target.value || undefined })} />
      <SearchField label="Topic" value={filters.topic} onChange={(topic) => onChange({ topic: topic || undefined })} className="sm:max-w-44" />
      <SearchField label="Trace id" value={filters.trace} onChange={(trace) => onChange({ trace: trace.trim().toLowerCase() || undefined })} className="sm:max-w-40" />
    </>
  );
}
