import { useVirtualizer } from "@tanstack/react-virtual";
import { clsx } from "clsx";
import { type ReactNode, useRef } from "react";

interface NameListProps {
  label: string;
  names: readonly string[];
  chosen: string | undefined;
  onChoose: (name: string) => void;
  empty: ReactNode;
}

/** Names to choose one of, however many there are. */
export function NameList({ label, names, chosen, onChoose, empty }: NameListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: names.length, getScrollElement: () => scroller.current, estimateSize: () => 28, overscan: 20 });
  return (
    <nav aria-label={label} ref={scroller} className="min-h-0 flex-1 overflow-y-auto p-1.5">
      {names.length === 0 && empty}
      <ul className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const name = names[item.index]!;
          return (
            <li key={name} className="absolute inset-x-0 top-0 h-7" style={{ transform: `translateY(${item.start}px)` }}>
              <button
                type="button"
                aria-current={name === chosen ? "true" : undefined}
                title={name}
                onClick={() => onChoose(name)}
                className={clsx("h-7 w-full truncate rounded-md px-2 text-left hover:bg-hover", name === chosen && "bg-accent-wash hover:bg-accent-wash")}
              >
                {name}
              </button>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
