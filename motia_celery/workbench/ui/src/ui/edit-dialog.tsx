import { useState } from "react";
import { parsed, pretty } from "@/logic/json";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Editor } from "./editor";

interface EditDialogProps {
  title: string;
  action: string;
  value: unknown;
  busy?: boolean;
  onDone: (value: unknown) => void;
  onClose: () => void;
}

/** A window to edit a JSON value in. */
export function EditDialog({ title, action, value, busy = false, onDone, onClose }: EditDialogProps) {
  const [text, setText] = useState(() => pretty(value ?? null, Number.POSITIVE_INFINITY));
  const result = parsed(text);
  const fault = "fault" in result ? result.fault : null;
  return (
    <Dialog
      wide
      title={title}
      onClose={onClose}
      footer={
        <>
          <p role="status" className="mr-auto min-w-0 self-center truncate text-bad">
            {fault && `No JSON: ${fault}`}
          </p>
          <Button onClick={onClose}>Not now</Button>
          <Button look="primary" disabled={busy || fault !== null} onClick={() => "value" in result && onDone(result.value ?? null)}>
            {action}
          </Button>
        </>
      }
    >
      <Editor label="JSON" value={text} language="json" onChange={setText} className="h-[45dvh]" />
    </Dialog>
  );
}
