import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Save, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, taken } from "@/api/client";
import { stateValueQuery } from "@/api/queries";
import { parsed, pretty } from "@/logic/json";
import { bytes, duration } from "@/logic/time";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Editor } from "@/ui/editor";
import { Failed, Loading } from "@/ui/empty";
import { Facts } from "@/ui/page";
import { Panel } from "@/ui/panel";
import { tell, tellError } from "@/ui/toast";

interface ValuePanelProps {
  group: string;
  itemKey: string;
  onClose: () => void;
}

/** One value, to read, to change and to delete. */
export function ValuePanel({ group, itemKey, onClose }: ValuePanelProps) {
  const { data: item, error, refetch } = useQuery(stateValueQuery(group, itemKey));
  const [text, setText] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const { save, remove } = useValue(group, itemKey, () => setText(null), onClose);
  const stored = item ? pretty(item.value ?? null, Number.POSITIVE_INFINITY) : "";

  if (error && !item) {
    return (
      <Panel label="The value" title={itemKey} onClose={onClose}>
        <Failed error={error} retry={refetch} />
      </Panel>
    );
  }
  const shown = text ?? stored;
  const result = parsed(shown);
  const isChanged = text !== null && text !== stored;
  return (
    <Panel
      label="The value"
      title={<code className="font-mono">{itemKey}</code>}
      actions={
        <>
          <Button look="primary" icon={Save} disabled={!isChanged || !("value" in result) || save.isPending} onClick={() => "value" in result && save.mutate({ value: result.value, life: item?.ttl_seconds ?? null })}>
            Save
          </Button>
          <IconButton icon={Trash2} look="plain" label="Delete" onClick={() => setAsking(true)} />
        </>
      }
      onClose={onClose}
    >
      {!item ? (
        <Loading />
      ) : (
        <div className="flex h-full flex-col gap-4 p-4">
          <Facts
            facts={[
              ["Group", group],
              ["Type", item.type],
              ["Size", bytes(item.size_bytes)],
              ["Lives", item.ttl_seconds == null ? "until it is deleted" : `${duration(item.ttl_seconds * 1000)} more`],
            ]}
          />
          <Editor label={`Value of ${itemKey}`} value={shown} language="json" onChange={(next) => setText(next === stored ? null : next)} className="min-h-60 flex-1" />
          {"fault" in result && <p className="text-xs text-bad">This is no JSON: {result.fault}</p>}
        </div>
      )}
      {asking && (
        <Confirm title={`Delete ${itemKey}?`} action="Delete" busy={remove.isPending} onConfirm={() => remove.mutate()} onClose={() => setAsking(false)}>
          It is deleted for good.
        </Confirm>
      )}
    </Panel>
  );
}

function useValue(group: string, key: string, onSaved: () => void, onGone: () => void) {
  const cache = useQueryClient();
  const refresh = () => void cache.invalidateQueries({ queryKey: ["state"] });
  const save = useMutation({
    mutationFn: ({ value, life }: { value: unknown; life: number | null }) =>
      taken(api.PUT("/state/value", { body: { group, key, value, ttl_seconds: life, create: false } })),
    onSuccess: (item) => {
      cache.setQueryData(stateValueQuery(group, key).queryKey, item);
      tell(`${key} is saved`);
      onSaved();
      refresh();
    },
    onError: tellError,
  });
  const remove = useMutation({
    mutationFn: () => taken(api.POST("/state/delete", { body: { keys: [{ group, key }], groups: [] } })),
    onSuccess: () => {
      tell(`${key} is deleted`);
      onGone();
      void cache.invalidateQueries({ queryKey: ["state", "items"] });
      void cache.invalidateQueries({ queryKey: ["state", "groups"] });
    },
    onError: tellError,
  });
  return { save, remove };
}
