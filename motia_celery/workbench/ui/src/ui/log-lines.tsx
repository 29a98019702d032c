import { useVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { Bug, CircleX, Info, type LucideIcon, TriangleAlert } from "lucide-react";
import { memo, useRef } from "react";
import type { Level, LogLine } from "@/api/shapes";
import { clock } from "@/logic/time";
import { anchorOf } from "./anchor";

/** Levels to choose from; each stands for itself and those above it. */
export const LEVELS = [
  ["", "Any level"],
  ["debug", "Debug and above"],
  ["info", "Info and above"],
  ["warn", "Warnings and errors"],
  ["error", "Errors"],
] as const;

const LOOKS: Record<Level, { icon: LucideIcon; text: string; word: string }> = {
  debug: { icon: Bug, text: "text-faint", word: "debug" },
  info: { icon: Info, text: "text-accent", word: "info" },
  warn: { icon: TriangleAlert, text: "text-warn", word: "warn" },
  error: { icon: CircleX, text: "text-bad", word: "error" },
};

interface LogLinesProps {
  lines: readonly LogLine[];
  empty: string;
  selected?: string | undefined;
  onSelect?: (line: LogLine) => void;
  /** Without the column of Steps. */
  isBrief?: boolean;
}

/** Log lines, of which only those in sight are drawn. */
export function LogLines({ lines, empty, selected, onSelect, isBrief = false }: LogLinesProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 26,
    overscan: 20,
    getItemKey: (at) => lines[at]!.id,
    anchorTo: anchorOf(scroller),
  });
  const today = new Date().setHours(0, 0, 0, 0);
  return (
    <div ref={scroller} tabIndex={0} role="log" aria-live="off" aria-label="Log lines" className="min-h-0 flex-1 overflow-y-auto">
      {lines.length === 0 && <p className="p-4 text-soft">{empty}</p>}
      <ol className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index]!;
          return (
            <li
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              className={clsx("absolute inset-x-0 top-0 border-b border-line/60", line.id === selected ? "bg-accent-wash" : "hover:bg-hover")}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <Line line={line} today={today} isBrief={isBrief} onSelect={onSelect} />
            </li>
          );
        })}
      </ol>
    </div>
  );
}

interface LineProps {
  line: LogLine;
  /** A moment of today; it stays the same, so that a line is drawn once. */
  today: number;
  isBrief: boolean;
  onSelect: ((line: LogLine) => void) | undefined;
}

const Line = memo(function Line({ line, today, isBrief, onSelect }: LineProps) {
  const { icon: Icon, text, word } = LOOKS[line.level];
  const fields = Object.keys(line.fields ?? {}).length ? JSON.stringify(line.fields) : "";
  const body = (
    <>
      <time dateTime={new Date(line.at).toISOString()} className="shrink-0 text-faint tabular-nums">
        {clock(line.at, today)}
      </time>
      <span className={clsx("flex w-14 shrink-0 items-center gap-1", text)}>
        <Icon size={12} aria-hidden className="shrink-0" /> {word}
      </span>
      {!isBrief && <span className="w-36 shrink-0 truncate text-soft max-md:hidden">{line.step}</span>}
      <span className={clsx("min-w-0 flex-1", isBrief ? "break-words" : "truncate")}>
        {line.message}
        {fields && <span className="ml-2 text-faint">{isBrief ? fields.slice(0, 400) : fields.slice(0, 200)}</span>}
      </span>
    </>
  );
  const look = "flex w-full items-start gap-x-2.5 px-4 py-1 text-left font-mono text-xs leading-[17px] max-sm:flex-wrap";
  return onSelect ? (
    <button type="button" onClick={() => onSelect(line)} className={look}>
      {body}
    </button>
  ) : (
    <div className={look}>{body}</div>
  );
});
