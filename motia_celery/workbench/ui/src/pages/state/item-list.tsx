import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { clsx } from "clsx";
import { SearchX, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { api, taken } from "@/api/client";
import { stateItemsQuery } from "@/api/queries";
import type { StateItem } from "@/api/shapes";
import { bytes, count, duration } from "@/logic/time";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Empty, Failed, Loading } from "@/ui/empty";
import { tell, tellError } from "@/ui/toast";
import { type Column, VirtualTable, WHOLE_ROW } from "@/ui/virtual-table";

interface ItemListProps {
  group: string;
  text: string;
  selected: string | undefined;
  onSelect: (item: StateItem) => void;
  onCleared: () => void;
}

const idOf = (item: StateItem) => `${item.group}\n${item.key}`;

/** The values of a group; of all groups where none is chosen. */
export function ItemList({ group, text, selected, onSelect, onCleared }: ItemListProps) {
  const { data, error, refetch } = useQuery(stateItemsQuery(group, text));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const columns = useMemo(() => columnsOf(group === "", chosen, setChosen, onSelect), [group, chosen, onSelect]);
  if (error && !data) return <Failed error={error} retry={refetch} />;
  if (!data) return <Loading />;
  const items = data.items;
  if (!items.length) return <Empty icon={SearchX} title={text ? "Nothing holds that text" : "This group is empty"} />;
  const meant = items.filter((item) => chosen.has(idOf(item)));
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col">
      <div className="flex min-h-10 flex-wrap items-center gap-2 border-b border-line px-4 py-1.5">
        <span className="min-w-0 truncate font-medium">{group || "All groups"}</span>
        <span className="text-soft tabular-nums">
          {count(data.total)}
          {data.partial && "+"}
        </span>
        <span className="ml-auto">
          <DeleteButton group={group} items={meant} onDone={() => setChosen(new Set())} onCleared={onCleared} />
        </span>
      </div>
      <VirtualTable label="Values" columns={columns} rows={items} rowId={idOf} selected={selected && `${group}\n${selected}`} total={data.total} />
      {data.total > items.length && <p className="border-t border-line px-4 py-1.5 text-xs text-soft">The first {count(items.length)} are shown; search to find others.</p>}
    </div>
  );
}

function columnsOf(
  withGroup: boolean,
  chosen: ReadonlySet<string>,
  setChosen: (next: ReadonlySet<string>) => void,
  onSelect: (item: StateItem) => void,
): Column<StateItem>[] {
  function toggle(id: string) {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  }
  return [
    {
      title: "Choose",
      quiet: true,
      size: "1.25rem",
      narrow: "1.25rem",
      cell: (item) => (
        <input
          type="checkbox"
          aria-label={`Choose ${item.key}`}
          checked={chosen.has(idOf(item))}
          onChange={() => toggle(idOf(item))}
          className="relative z-10 block size-3.5 accent-(--accent-fill)"
        />
      ),
    },
    ...(withGroup ? [{ title: "Group", size: "minmax(5rem, 0.6fr)", narrow: "5rem", cell: (item: StateItem) => <span className="text-soft">{item.group}</span> }] : []),
    {
      title: "Key",
      size: "minmax(7rem, 1fr)",
      narrow: "minmax(0, 1fr)",
      cell: (item) => (
        <button type="button" onClick={() => onSelect(item)} className={clsx("max-w-full truncate text-left font-mono text-xs", WHOLE_ROW)}>
          {item.key}
        </button>
      ),
    },
    { title: "Type", size: "4rem", narrow: "3.75rem", cell: (item) => <span className="text-soft">{item.type}</span> },
    {
      title: "Value",
      size: "minmax(0, 2fr)",
      cell: (item) => <code className="font-mono text-xs text-soft">{item.truncated ? "Too large for a list" : JSON.stringify(item.value)?.slice(0, 300)}</code>,
    },
    { title: "Size", size: "4.5rem", right: true, cell: (item) => <span className="text-soft">{bytes(item.size_bytes)}</span> },
    { title: "Lives", size: "4.5rem", right: true, cell: (item) => <span className="text-soft">{item.ttl_seconds == null ? "ever" : duration(item.ttl_seconds * 1000)}</span> },
  ];
}

interface DeleteButtonProps {
  group: string;
  items: readonly StateItem[];
  onDone: () => void;
  onCleared: () => void;
}

function DeleteButton({ group, items, onDone, onCleared }: DeleteButtonProps) {
  const [asking, setAsking] = useState(false);
  const cache = useQueryClient();
  const isGroup = items.length === 0;
  const { mutate, isPending } = useMutation({
    mutationFn: () => {
      const keys = items.map((item) => ({ group: item.group, key: item.key }));
      return taken(api.POST("/state/delete", { body: { keys, groups: isGroup ? [group] : [] } }));
    },
    onSuccess: () => {
      setAsking(false);
      tell(isGroup ? `The group ${group} is deleted` : `${count(items.length)} deleted`);
      void cache.invalidateQueries({ queryKey: ["state"] });
      onDone();
      if (isGroup) onCleared();
    },
    onError: tellError,
  });
  if (isGroup && !group) return null;
  const what = isGroup ? `the group ${group}` : `${count(items.length)} ${items.length === 1 ? "value" : "values"}`;
  return (
    <>
      <Button look="ghost" icon={Trash2} onClick={() => setAsking(true)}>
        {isGroup ? "Delete group" : `Delete ${count(items.length)}`}
      </Button>
      {asking && (
        <Confirm title={`Delete ${what}?`} action="Delete" busy={isPending} onConfirm={() => mutate()} onClose={() => setAsking(false)}>
          {isGroup ? "All its keys are deleted for good." : "They are deleted for good."}
        </Confirm>
      )}
    </>
  );
}
