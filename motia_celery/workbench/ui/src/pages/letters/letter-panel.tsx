import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Pencil, RotateCw, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { letterQueryById } from "@/api/queries";
import type { LetterDetail } from "@/api/shapes";
import { bytes, clock } from "@/logic/time";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { EditDialog } from "@/ui/edit-dialog";
import { Failed, Loading } from "@/ui/empty";
import { ErrorView } from "@/ui/error-view";
import { Id, JsonView } from "@/ui/json-view";
import { Facts, Section } from "@/ui/page";
import { Panel } from "@/ui/panel";
import { Reason } from "./letter-columns";
import { useLetters } from "./use-letters";

/** One dead letter: why, what it holds, and what can be done. */
export function LetterPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const { data: letters, error, refetch } = useQuery(letterQueryById(id));
  const [letter] = letters ?? [];
  return (
    <Panel label="The dead letter" title={letter?.step || "Dead letter"} actions={letter && <Actions letter={letter} onGone={onClose} />} onClose={onClose}>
      {error && !letter ? <Failed error={error} retry={refetch} /> : letter ? <Detail letter={letter} /> : <Loading />}
    </Panel>
  );
}

function Detail({ letter }: { letter: LetterDetail }) {
  return (
    <div className="flex flex-col gap-5 p-4">
      {letter.error.type && <ErrorView error={letter.error} step={letter.step} />}
      <Facts facts={factsOf(letter)} />
      <Section title="Payload" aside={<span className="text-xs text-soft">{bytes(letter.size_bytes)}</span>}>
        {letter.is_json && !letter.truncated ? (
          <JsonView label="Payload" value={letter.data} />
        ) : (
          <JsonView label="Payload, base64" value={letter.body_base64 ?? letter.preview} />
        )}
        {letter.truncated && <p className="mt-1 text-xs text-warn">Only its beginning is shown.</p>}
      </Section>
      {Object.keys(letter.headers ?? {}).length > 0 && (
        <Section title="Headers">
          <JsonView label="Headers" value={letter.headers} />
        </Section>
      )}
    </div>
  );
}

function factsOf(letter: LetterDetail): [string, ReactNode][] {
  const facts: [string, ReactNode][] = [
    ["Reason", <Reason key="reason" reason={letter.reason} />],
    ["Attempts", letter.attempts],
    ["Run", <Id key="run" value={letter.id} length={18} />],
    ["Queue", <code key="queue" className="font-mono text-xs break-all">{letter.queue}</code>],
  ];
  if (letter.topic) facts.push(["Topic", letter.topic]);
  if (letter.died_at != null) facts.push(["Died", clock(letter.died_at, Date.now())]);
  if (letter.trace_id) {
    facts.push([
      "Trace",
      <Link key="trace" to="/runs/$trace" params={{ trace: letter.trace_id }} search={{ run: letter.id }} className="font-mono text-xs text-accent hover:underline">
        {letter.trace_id.slice(0, 16)}
      </Link>,
    ]);
  }
  return facts;
}

function Actions({ letter, onGone }: { letter: LetterDetail; onGone: () => void }) {
  const [open, setOpen] = useState<"edit" | "drop" | null>(null);
  const { replay, drop } = useLetters(onGone);
  const choice = { ids: [letter.id] };
  const close = () => setOpen(null);
  return (
    <>
      <Button look="primary" icon={RotateCw} disabled={replay.isPending} onClick={() => replay.mutate({ choice })}>
        Replay
      </Button>
      <IconButton icon={Pencil} look="plain" label="Replay with an edited payload" onClick={() => setOpen("edit")} />
      <IconButton icon={Trash2} look="plain" label="Drop" onClick={() => setOpen("drop")} />
      {open === "edit" && (
        <EditDialog
          title={`Replay to ${letter.step} with another payload`}
          action="Replay"
          value={letter.data}
          busy={replay.isPending}
          onDone={(data) => replay.mutate({ choice, edited: { data } })}
          onClose={close}
        />
      )}
      {open === "drop" && (
        <Confirm title="Drop this dead letter?" action="Drop it" busy={drop.isPending} onConfirm={() => drop.mutate({ choice })} onClose={close}>
          Its event is deleted for good. There is no way back.
        </Confirm>
      )}
    </>
  );
}
