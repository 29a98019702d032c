import { RotateCw, Trash2 } from "lucide-react";
import { useState } from "react";
import type { letterChoice } from "@/logic/letters";
import { count } from "@/logic/time";
import { Button } from "@/ui/button";
import { Confirm, Dialog } from "@/ui/dialog";
import { useLetters } from "./use-letters";

interface ManyActionsProps {
  chosen: ReadonlySet<string>;
  matching: number;
  isFiltered: boolean;
  choice: ReturnType<typeof letterChoice>;
  onDone: () => void;
}

/** Replay or drop those that are chosen; else all that match. */
export function ManyActions({ chosen, matching, isFiltered, choice, onDone }: ManyActionsProps) {
  const [asking, setAsking] = useState<"replay" | "drop" | null>(null);
  const { replay, drop } = useLetters(() => {
    setAsking(null);
    onDone();
  });
  const many = chosen.size || matching;
  const words = chosen.size ? `${count(chosen.size)} chosen` : isFiltered ? `all ${count(matching)} that match` : `all ${count(matching)}`;
  const meant = chosen.size ? { choice: { ids: [...chosen] } } : { choice, all: !isFiltered };
  const close = () => setAsking(null);
  return (
    <>
      <Button icon={RotateCw} onClick={() => (chosen.size ? replay.mutate(meant) : setAsking("replay"))} disabled={replay.isPending}>
        Replay {words}
      </Button>
      <Button icon={Trash2} onClick={() => setAsking("drop")} disabled={drop.isPending}>
        Drop {words}
      </Button>
      {asking === "drop" && (
        <Confirm title={`Drop ${words}?`} action={`Drop ${count(many)}`} busy={drop.isPending} onConfirm={() => drop.mutate(meant)} onClose={close}>
          Their events are deleted for good. There is no way back.
        </Confirm>
      )}
      {asking === "replay" && (
        <Dialog
          title={`Replay ${words}?`}
          onClose={close}
          footer={
            <>
              <Button onClick={close}>Not now</Button>
              <Button look="primary" disabled={replay.isPending} onClick={() => replay.mutate(meant)}>
                Replay {count(many)}
              </Button>
            </>
          }
        >
          Each event is sent again to the one Step where it died.
        </Dialog>
      )}
    </>
  );
}
