import { useVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { type CSSProperties, memo, type ReactNode, useEffect, useRef } from "react";
import { anchorOf } from "./anchor";

export interface Column<Row> {
  title: string;
  /** A size for a CSS grid, such as `6rem` or `minmax(8rem, 1fr)`. */
  size: string;
  cell: (row: Row) => ReactNode;
  /** Its size where there is little room; without one it is left out there. */
  narrow?: string;
  /** Shown only where there is much room. */
  roomy?: boolean;
  right?: boolean;
  /** The title is read out, but not drawn. */
  quiet?: boolean;
}

interface VirtualTableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowId: (row: Row) => string;
  selected?: string | undefined;
  /** Called when the end comes into sight. */
  onEnd?: () => void;
  /** How many rows there are altogether, if that is known. */
  total?: number | undefined;
  empty?: ReactNode;
}

const ROW_HEIGHT = 34;
const ROWS_AHEAD = 12;

/** A table that draws only the rows in sight, so that ten thousand scroll like ten. */
export function VirtualTable<Row>({ label, columns, rows, rowId, selected, onEnd, total, empty }: VirtualTableProps<Row>) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: ROWS_AHEAD,
    getItemKey: (at) => rowId(rows[at]!),
    anchorTo: anchorOf(scroller),
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length && last >= rows.length - ROWS_AHEAD) onEnd?.();
  }, [last, rows.length, onEnd]);

  const sizes = {
    "--roomy": columns.map((column) => column.size).join(" "),
    "--wide": columns.flatMap((column) => (column.roomy ? [] : column.size)).join(" "),
    "--narrow": columns.flatMap((column) => column.narrow ?? []).join(" "),
  } as CSSProperties;
  return (
    <div
      role="table"
      aria-label={label}
      aria-rowcount={total ?? rows.length}
      className="@container flex min-h-0 flex-1 flex-col"
      style={sizes}
    >
      <div role="rowgroup" className="border-b border-line">
        <div role="row" className={clsx(GRID, "h-8 text-xs text-soft")}>
          {columns.map((column) => (
            <div key={column.title} role="columnheader" className={cellClass(column)}>
              <span className={column.quiet ? "sr-only" : undefined}>{column.title}</span>
            </div>
          ))}
        </div>
      </div>
      <div ref={scroller} role="rowgroup" tabIndex={0} aria-label={`${label}, rows`} className="min-h-0 flex-1 overflow-y-auto">
        {rows.length === 0 && empty}
        <div role="presentation" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ key, index, start }) => {
            const row = rows[index]!;
            const isSelected = selected === undefined ? undefined : rowId(row) === selected;
            return <DrawnRow key={key} row={row} columns={columns} index={index} start={start} isSelected={isSelected} />;
          })}
        </div>
      </div>
    </div>
  );
}

interface RowProps<Row> {
  row: Row;
  columns: readonly Column<Row>[];
  index: number;
  start: number;
  isSelected: boolean | undefined;
}

/** Drawn once, and not again while the list is scrolled. */
const DrawnRow = memo(function DrawnRow<Row>({ row, columns, index, start, isSelected }: RowProps<Row>) {
  return (
    <div
      role="row"
      aria-rowindex={index + 1}
      aria-selected={isSelected}
      className={clsx(
        GRID,
        "absolute inset-x-0 top-0 h-[34px] border-b border-line hover:bg-hover",
        isSelected && "bg-accent-wash hover:bg-accent-wash",
      )}
      style={{ transform: `translateY(${start}px)` }}
    >
      {columns.map((column) => (
        <div key={column.title} role="cell" className={cellClass(column)}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}) as <Row>(props: RowProps<Row>) => ReactNode;

const GRID = "grid grid-cols-(--narrow) items-center gap-x-3 px-4 @2xl:grid-cols-(--wide) @6xl:grid-cols-(--roomy)";

/** A link or button with this class is as large as its row. */
export const WHOLE_ROW = "after:absolute after:inset-0";

function cellClass<Row>(column: Column<Row>): string {
  const shown = column.roomy ? "hidden @6xl:block" : !column.narrow && "hidden @2xl:block";
  return clsx("min-w-0 truncate", column.right && "text-right tabular-nums", shown);
}
