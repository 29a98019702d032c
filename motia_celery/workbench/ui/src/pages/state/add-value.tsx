import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, taken } from "@/api/client";
import type { StateItem } from "@/api/shapes";
import { parsed } from "@/logic/json";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Editor } from "@/ui/editor";
import { TextField } from "@/ui/fields";

interface AddValueProps {
  group: string;
  onAdded: (item: StateItem) => void;
  onClose: () => void;
}

/** A window that adds a value; one that is there already is not replaced. */
export function AddValue({ group: known, onAdded, onClose }: AddValueProps) {
  const [group, setGroup] = useState(known);
  const [key, setKey] = useState("");
  const [life, setLife] = useState("");
  const [text, setText] = useState("{}");
  const cache = useQueryClient();
  const result = parsed(text);
  const value = "value" in result ? result.value : undefined;
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => taken(api.PUT("/state/value", { body: { group, key, value, ttl_seconds: Number(life) || null, create: true } })),
    onSuccess: (item) => {
      void cache.invalidateQueries({ queryKey: ["state"] });
      onAdded(item);
    },
  });
  return (
    <Dialog
      title="Add a value"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button look="primary" disabled={!group || !key || value == null || isPending} onClick={() => mutate()}>
            Add
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <TextField label="Group" value={group} autoFocus={!known} onChange={(event) => setGroup(event.target.value)} />
        <TextField label="Key" value={key} autoFocus={Boolean(known)} onChange={(event) => setKey(event.target.value)} />
        <TextField label="Lives so many seconds (for ever, if empty)" type="number" min={1} value={life} onChange={(event) => setLife(event.target.value)} />
        <div>
          <p className="mb-1 text-xs text-soft">Value</p>
          <Editor label="Value" value={text} language="json" onChange={setText} className="h-44" />
        </div>
        {("fault" in result || error) && (
          <p role="alert" className="text-xs text-bad">
            {"fault" in result ? `This is no JSON: ${result.fault}` : error?.message}
          </p>
        )}
      </div>
    </Dialog>
  );
}
