import { useQuery } from "@tanstack/react-query";
import { clsx } from "clsx";
import { Radio } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { streamItemsQuery } from "@/api/queries";
import type { FeedMessage, StreamItem } from "@/api/shapes";
import { useFeedMessages } from "@/api/use-feed";
import { bytes, count } from "@/logic/time";
import { Empty, Failed, Loading } from "@/ui/empty";
import { type Column, VirtualTable, WHOLE_ROW } from "@/ui/virtual-table";

interface LiveItemsProps {
  stream: string;
  group: string;
  selected: string | undefined;
  onSelect: (id: string) => void;
}

/** The items of a group, which change under the eye. */
export function LiveItems({ stream, group, selected, onSelect }: LiveItemsProps) {
  const { data, error, refetch } = useQuery(streamItemsQuery(stream, group));
  const versions = useVersions(stream, group);
  const columns = useMemo(() => columnsOf(versions, onSelect), [versions, onSelect]);
  if (error && !data) return <Failed error={error} retry={refetch} />;
  if (!data) return <Loading />;
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col">
      <div className="flex min-h-10 items-center gap-2 border-b border-line px-4">
        <span className="min-w-0 truncate font-medium">{group}</span>
        <span className="text-soft tabular-nums">{count(data.total)}</span>
        <span className="ml-auto truncate text-xs text-soft tabular-nums max-xl:hidden">version {data.version}</span>
      </div>
      {data.items.length ? (
        <VirtualTable label="Items" columns={columns} rows={data.items} rowId={(item) => item.id} selected={selected} total={data.total} />
      ) : (
        <Empty icon={Radio} title="This group is empty">
          Items appear here as they are set.
        </Empty>
      )}
      {data.total > data.items.length && <p className="border-t border-line px-4 py-1.5 text-xs text-soft">The oldest {count(data.items.length)} are shown.</p>}
    </div>
  );
}

/** The latest change of each item that was seen here, to let it flash. */
function useVersions(stream: string, group: string): ReadonlyMap<string, number> {
  const [versions, setVersions] = useState<ReadonlyMap<string, number>>(new Map());
  useFeedMessages(
    useCallback(
      (messages: readonly FeedMessage[]) => {
        const changed = messages.filter((each) => each.type === "stream" && each.stream === stream && each.group === group && each.id !== null);
        if (!changed.length) return;
        setVersions((known) => {
          const next = new Map(known);
          for (const each of changed) if (each.type === "stream" && each.id) next.set(each.id, each.version);
          return next;
        });
      },
      [stream, group],
    ),
  );
  return versions;
}

function columnsOf(versions: ReadonlyMap<string, number>, onSelect: (id: string) => void): Column<StreamItem>[] {
  return [
    {
      title: "Item",
      size: "minmax(7rem, 0.8fr)",
      narrow: "minmax(6rem, 0.6fr)",
      cell: (item) => (
        <>
          {versions.has(item.id) && <span key={versions.get(item.id)} aria-hidden className="item-flash pointer-events-none absolute inset-0" />}
          <button type="button" onClick={() => onSelect(item.id)} className={clsx("max-w-full truncate text-left font-mono text-xs", WHOLE_ROW)}>
            {item.id}
          </button>
        </>
      ),
    },
    {
      title: "Data",
      size: "minmax(0, 2fr)",
      narrow: "minmax(0, 1fr)",
      cell: (item) => <code className="font-mono text-xs text-soft">{item.truncated ? "Too large for a list" : JSON.stringify(item.data).slice(0, 400)}</code>,
    },
    { title: "Size", size: "4.5rem", right: true, cell: (item) => <span className="text-soft">{bytes(item.size_bytes)}</span> },
  ];
}
