import { clsx } from "clsx";
import { CircleX } from "lucide-react";
import type { Letter } from "@/api/shapes";
import { clock, distance } from "@/logic/time";
import { type Column, WHOLE_ROW } from "@/ui/virtual-table";

interface Acts {
  now: number;
  chosen: ReadonlySet<string>;
  onOpen: (id: string) => void;
  onChoose: (id: string) => void;
}

/** The columns of the list of dead letters. */
export function letterColumns({ now, chosen, onOpen, onChoose }: Acts): Column<Letter>[] {
  return [
    {
      title: "Choose",
      quiet: true,
      size: "1.25rem",
      narrow: "1.25rem",
      cell: (letter) => (
        <input
          type="checkbox"
          aria-label={`Choose the letter of ${letter.step}`}
          checked={chosen.has(letter.id)}
          onChange={() => onChoose(letter.id)}
          className="relative z-10 block size-3.5 accent-(--accent-fill)"
        />
      ),
    },
    {
      title: "Step",
      size: "minmax(8rem, 1fr)",
      narrow: "minmax(0, 1fr)",
      cell: (letter) => (
        <button type="button" onClick={() => onOpen(letter.id)} className={clsx("max-w-full truncate text-left font-medium", WHOLE_ROW)}>
          {letter.step || letter.queue}
        </button>
      ),
    },
    { title: "Reason", size: "6.5rem", narrow: "5.5rem", cell: (letter) => <Reason reason={letter.reason} /> },
    { title: "Error", size: "minmax(0, 2fr)", cell: errorOf },
    { title: "Topic", size: "minmax(5rem, 1fr)", cell: (letter) => <code className="font-mono text-xs text-soft">{letter.topic}</code> },
    { title: "Payload", size: "minmax(0, 1.4fr)", cell: (letter) => <code className="font-mono text-xs text-soft">{letter.preview}</code> },
    { title: "Tries", size: "2.75rem", right: true, cell: (letter) => letter.attempts },
    { title: "Died", size: "5rem", narrow: "4.25rem", right: true, cell: (letter) => <Died letter={letter} now={now} /> },
  ];
}

/** Why a letter is dead. */
export function Reason({ reason }: { reason: Letter["reason"] }) {
  return (
    <span className="flex items-center gap-1.5 text-bad">
      <CircleX size={13} aria-hidden className="shrink-0" />
      <span className="truncate">{reason}</span>
    </span>
  );
}

function errorOf({ error }: Letter) {
  const text = error.type ? `${error.type}: ${error.message}` : error.message;
  return <span title={text}>{text}</span>;
}

function Died({ letter, now }: { letter: Letter; now: number }) {
  if (letter.died_at == null) return <span className="text-faint">–</span>;
  return (
    <time dateTime={new Date(letter.died_at).toISOString()} title={clock(letter.died_at, now)} className="text-soft">
      {distance(letter.died_at, now)}
    </time>
  );
}
