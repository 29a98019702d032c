import { clsx } from "clsx";
import { type LucideIcon, Search } from "lucide-react";
import { type KeyboardEvent, useId, useMemo, useState } from "react";
import { type Entry, find } from "@/logic/search";
import { useModal } from "@/ui/dialog";

export interface Command extends Entry {
  icon: LucideIcon;
  run: () => void;
}

interface PaletteProps {
  commands: readonly Command[];
  /** A command made of what was typed, such as opening a trace by its id. */
  made: (typed: string) => Command | null;
  onClose: () => void;
}

const LIMIT = 50;

/** One field that leads everywhere. */
export function Palette({ commands, made, onClose }: PaletteProps) {
  const dialog = useModal();
  const listId = useId();
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const found = useMemo(() => {
    const extra = made(typed);
    return [...(extra ? [extra] : []), ...find(commands, typed, LIMIT)];
  }, [commands, made, typed]);

  function run(command: Command | undefined) {
    if (!command) return;
    onClose();
    command.run();
  }

  function onKeyDown(event: KeyboardEvent) {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && found.length) setChosen((chosen + move + found.length) % found.length);
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  }

  return (
    <dialog
      ref={dialog}
      aria-label="Search for anything"
      onClose={onClose}
      onMouseDown={(event) => event.target === event.currentTarget && onClose()}
      className="mt-[12dvh] w-[calc(100vw-1.5rem)] max-w-xl overflow-hidden rounded-lg border border-line bg-raised shadow-xl"
    >
      <div className="flex items-center gap-2 border-b border-line px-3">
        <Search size={15} aria-hidden className="text-faint" />
        <input
          autoFocus
          role="combobox"
          aria-label="Search for a page, Step, flow or trace"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={found[chosen] && `${listId}-${chosen}`}
          placeholder="Page, Step, flow, route, trace id…"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
          className="h-11 flex-1 bg-transparent text-base outline-none placeholder:text-faint"
        />
      </div>
      <ul id={listId} role="listbox" aria-label="Found" className="max-h-[50dvh] overflow-y-auto p-1.5">
        {found.map((command, at) => (
          <Row
            key={command.id}
            id={`${listId}-${at}`}
            command={command}
            chosen={at === chosen}
            heading={found[at - 1]?.group !== command.group}
            onPoint={() => setChosen(at)}
            onRun={() => run(command)}
          />
        ))}
        {!found.length && <li className="px-3 py-6 text-center text-soft">Nothing is called that.</li>}
      </ul>
    </dialog>
  );
}

interface RowProps {
  id: string;
  command: Command;
  chosen: boolean;
  heading: boolean;
  onPoint: () => void;
  onRun: () => void;
}

function Row({ id, command, chosen, heading, onPoint, onRun }: RowProps) {
  const Icon = command.icon;
  return (
    <li
      id={id}
      role="option"
      aria-selected={chosen}
      ref={(row) => {
        if (chosen) row?.scrollIntoView({ block: "nearest" });
      }}
      onMouseMove={onPoint}
      onClick={onRun}
      className={clsx("flex h-8 cursor-pointer items-center gap-2 rounded-md px-2", chosen && "bg-hover")}
    >
      <Icon size={14} aria-hidden className="shrink-0 text-soft" />
      <span className="truncate">{command.name}</span>
      {command.hint && <span className="min-w-0 flex-1 truncate font-mono text-xs text-faint">{command.hint}</span>}
      <span className={clsx("ml-auto text-xs", heading ? "text-soft" : "text-faint")}>{command.group}</span>
    </li>
  );
}
