import { useVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import type { Span, Trace } from "@/api/shapes";
import { spansOf } from "@/logic/spans";
import { duration } from "@/logic/time";
import { type Bar, layWaterfall, type Waterfall } from "@/logic/waterfall";
import { useNow } from "@/ui/use-now";
import { SPAN_LOOKS } from "./span-looks";

interface WaterfallViewProps {
  trace: Trace;
  selected: string | undefined;
  onSelect: (span: Span) => void;
}

const ROW_HEIGHT = 30;
const COLUMNS = "grid grid-cols-[50%_1fr] sm:grid-cols-[minmax(14rem,36%)_1fr]";

/** What happened in a trace, each thing as a bar below its cause. */
export function WaterfallView({ trace, selected, onSelect }: WaterfallViewProps) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const spans = useMemo(() => spansOf(trace), [trace]);
  const isOver = trace.ended_at != null;
  const now = useNow();
  const fall = useMemo(() => layWaterfall(spans, isOver ? 0 : now, folded), [spans, isOver ? 0 : now, folded]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: fall.bars.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 20,
  });

  function fold(id: string) {
    const next = new Set(folded);
    if (!next.delete(id)) next.add(id);
    setFolded(next);
  }

  return (
    <section aria-label="Waterfall" className="flex min-w-0 shrink-0 flex-col lg:min-h-0 lg:flex-1 lg:shrink">
      <Scale fall={fall} />
      <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto max-lg:max-h-[60dvh]">
        <ul className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const bar = fall.bars[item.index]!;
            return (
              <li key={bar.span.id} className="absolute inset-x-0 top-0" style={{ height: ROW_HEIGHT, transform: `translateY(${item.start}px)` }}>
                <Row
                  bar={bar}
                  isSelected={bar.span.id === selected}
                  isFolded={folded.has(bar.span.id)}
                  onSelect={() => onSelect(bar.span)}
                  onFold={() => fold(bar.span.id)}
                />
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}

function Scale({ fall }: { fall: Waterfall }) {
  return (
    <div className={clsx(COLUMNS, "h-8 items-center border-b border-line pr-12 text-2xs text-soft")} aria-hidden>
      <span className="pl-4 text-xs">Span</span>
      <div className="relative h-4">
        {fall.ticks.map((tick) => (
          <span key={tick} className="absolute border-l border-line pl-1 whitespace-nowrap max-sm:even:hidden" style={{ left: `${(tick / fall.totalMs) * 100}%` }}>
            {duration(tick)}
          </span>
        ))}
      </div>
    </div>
  );
}

interface RowProps {
  bar: Bar;
  isSelected: boolean;
  isFolded: boolean;
  onSelect: () => void;
  onFold: () => void;
}

/** How far one thing stands below its cause; never so far that no name is left. */
const INDENT = "min(0.875rem, 2.2vw)";

function Row({ bar, isSelected, isFolded, onSelect, onFold }: RowProps) {
  const { span, depth, hasChildren } = bar;
  const look = SPAN_LOOKS[span.kind];
  const Icon = look.icon;
  const Fold = isFolded ? ChevronRight : ChevronDown;
  return (
    <div className={clsx(COLUMNS, "relative h-full items-center pr-12 hover:bg-hover", isSelected && "bg-accent-wash hover:bg-accent-wash")}>
      <div className="flex min-w-0 items-center gap-1" style={{ paddingLeft: `calc(0.5rem + ${Math.min(depth, 8)} * ${INDENT})` }}>
        {hasChildren ? (
          <button type="button" onClick={onFold} aria-expanded={!isFolded} aria-label={`What ${span.name} did`} className="relative z-10 flex size-5 shrink-0 items-center justify-center rounded text-faint hover:text-ink">
            <Fold size={13} aria-hidden />
          </button>
        ) : (
          <span className="w-5 shrink-0" />
        )}
        <Icon size={13} aria-label={look.word} className={clsx("shrink-0", span.status === "error" ? "text-bad" : look.text)} />
        <button type="button" onClick={onSelect} aria-pressed={isSelected} className="min-w-0 truncate text-left after:absolute after:inset-0">
          <span className={clsx(look.strong && "font-medium")}>{span.name}</span>
          {span.status === "error" && <span className="ml-1.5 text-xs text-bad">failed</span>}
        </button>
      </div>
      <div className="relative h-full">
        <BarShape bar={bar} />
      </div>
    </div>
  );
}

function BarShape({ bar }: { bar: Bar }) {
  const { span, left, width, durationMs } = bar;
  const text = durationMs === null ? "running" : duration(durationMs);
  const isLate = left + width > 0.7;
  return (
    <>
      <div
        className={clsx(
          "absolute top-1/2 h-2.5 min-w-[3px] -translate-y-1/2 rounded-[3px]",
          span.status === "error" ? "bg-bad" : SPAN_LOOKS[span.kind].bar,
          span.status === "running" && "animate-pulse",
        )}
        style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
      />
      <span
        className={clsx("absolute top-1/2 -translate-y-1/2 px-1.5 text-2xs whitespace-nowrap text-soft tabular-nums", isLate && left > 0.3 && "-translate-x-full")}
        style={{ left: `${(isLate && left > 0.3 ? left : isLate ? left + width : left + width) * 100}%` }}
      >
        {text}
      </span>
    </>
  );
}
