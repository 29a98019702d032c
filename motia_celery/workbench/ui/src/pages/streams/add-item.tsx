import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, taken } from "@/api/client";
import { parsed } from "@/logic/json";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { Editor } from "@/ui/editor";
import { TextField } from "@/ui/fields";

interface AddItemProps {
  stream: string;
  group: string;
  onAdded: (where: { group: string; id: string }) => void;
  onClose: () => void;
}

/** A window that sets an item of a stream. */
export function AddItem({ stream, group: known, onAdded, onClose }: AddItemProps) {
  const [group, setGroup] = useState(known);
  const [id, setId] = useState("");
  const [text, setText] = useState("{}");
  const cache = useQueryClient();
  const result = parsed(text);
  const value = "value" in result ? result.value : null;
  const data = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => taken(api.PUT("/streams/item", { body: { stream, group, id, data: data ?? {} } })),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["stream", stream] });
      onAdded({ group, id });
    },
  });
  return (
    <Dialog
      title={`Add an item to ${stream}`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Not now</Button>
          <Button look="primary" disabled={!group || !id || !data || isPending} onClick={() => mutate()}>
            Add
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <TextField label="Group" value={group} onChange={(event) => setGroup(event.target.value)} />
        <TextField label="Id" value={id} onChange={(event) => setId(event.target.value)} />
        <div>
          <p className="mb-1 text-xs text-soft">Data</p>
          <Editor label="Data" value={text} language="json" onChange={setText} className="h-44" />
        </div>
        {(!data || error) && (
          <p role="alert" className="text-xs text-bad">
            {"fault" in result ? `This is no JSON: ${result.fault}` : (error?.message ?? "An item is an object.")}
          </p>
        )}
      </div>
    </Dialog>
  );
}
