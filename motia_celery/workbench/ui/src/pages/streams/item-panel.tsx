import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Save, Trash2 } from "lucide-react";
import { useEffect, useState } from "react";
import { api, taken } from "@/api/client";
import { streamItemQuery, streamItemsQuery } from "@/api/queries";
import { parsed, pretty } from "@/logic/json";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Editor } from "@/ui/editor";
import { Failed, Loading } from "@/ui/empty";
import { Panel } from "@/ui/panel";
import { tell, tellError } from "@/ui/toast";

interface ItemPanelProps {
  stream: string;
  group: string;
  id: string;
  onClose: () => void;
}

/** One item, live, to change and to delete; whoever follows it is told. */
export function ItemPanel({ stream, group, id, onClose }: ItemPanelProps) {
  const cache = useQueryClient();
  const { data: listed } = useQuery({ ...streamItemsQuery(stream, group), select: (list) => list.items.find((item) => item.id === id) });
  const whole = useQuery({ ...streamItemQuery(stream, group, id), enabled: !listed || listed.truncated });
  const item = listed && !listed.truncated ? listed : whole.data;
  const [text, setText] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const stored = item ? pretty(item.data, Number.POSITIVE_INFINITY) : "";
  useEffect(() => setText(null), [stored]);

  const save = useMutation({
    mutationFn: (data: Record<string, unknown>) => taken(api.PUT("/streams/item", { body: { stream, group, id, data } })),
    onSuccess: () => {
      tell(`${id} is saved`);
      void cache.invalidateQueries({ queryKey: ["stream", stream] });
    },
    onError: tellError,
  });
  const remove = useMutation({
    mutationFn: () => taken(api.POST("/streams/delete", { body: { stream, group, ids: [id] } })),
    onSuccess: () => {
      tell(`${id} is deleted`);
      onClose();
      void cache.invalidateQueries({ queryKey: ["stream", stream] });
    },
    onError: tellError,
  });

  const shown = text ?? stored;
  const result = parsed(shown);
  const data = "value" in result && isObject(result.value) ? result.value : null;
  return (
    <Panel
      label="The item"
      title={<code className="font-mono">{id}</code>}
      actions={
        <>
          <Button look="primary" icon={Save} disabled={text === null || text === stored || !data || save.isPending} onClick={() => data && save.mutate(data)}>
            Save
          </Button>
          <IconButton icon={Trash2} look="plain" label="Delete" onClick={() => setAsking(true)} />
        </>
      }
      onClose={onClose}
    >
      {whole.error && !item ? (
        <Failed error={whole.error} retry={whole.refetch} />
      ) : !item ? (
        <Loading />
      ) : (
        <div className="flex h-full flex-col gap-2 p-4">
          <Editor label={`Data of ${id}`} value={shown} language="json" onChange={setText} className="min-h-60 flex-1" />
          {!data && <p className="text-xs text-bad">{"fault" in result ? `This is no JSON: ${result.fault}` : "An item is an object."}</p>}
        </div>
      )}
      {asking && (
        <Confirm title={`Delete ${id}?`} action="Delete" busy={remove.isPending} onConfirm={() => remove.mutate()} onClose={() => setAsking(false)}>
          It is deleted for good, and whoever follows it is told.
        </Confirm>
      )}
    </Panel>
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
