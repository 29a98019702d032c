import { clsx } from "clsx";
import { KINDS } from "@/ui/kinds";
import { SearchField } from "@/ui/fields";
import type { Target } from "./targets";

interface TargetListProps {
  targets: readonly Target[];
  chosen: Target | undefined;
  text: string;
  onText: (text: string) => void;
  onChoose: (target: Target) => void;
}

const GROUPS = [
  ["route", "Routes"],
  ["topic", "Topics"],
  ["cron", "Crons"],
] as const;

/** Everything that can be tried, to choose from. */
export function TargetList({ targets, chosen, text, onText, onChoose }: TargetListProps) {
  const wanted = text.toLowerCase();
  const found = targets.filter(({ name, hint }) => name.toLowerCase().includes(wanted) || hint.toLowerCase().includes(wanted));
  return (
    <nav aria-label="What to try" className={clsx("min-h-0 w-full flex-col border-line lg:flex lg:w-72 lg:shrink-0 lg:border-r", chosen ? "hidden" : "flex")}>
      <div className="flex border-b border-line p-2">
        <SearchField label="Search routes, topics, crons" value={text} onChange={onText} className="sm:max-w-none" />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto p-2">
        {GROUPS.map(([kind, title]) => {
          const members = found.filter((target) => target.kind === kind);
          if (!members.length) return null;
          return (
            <section key={kind} className="mb-3" aria-label={title}>
              <h2 className="px-2 py-1 text-xs font-semibold text-soft">{title}</h2>
              <ul>
                {members.map((target) => (
                  <li key={target.name}>
                    <Choice target={target} isChosen={target === chosen} onChoose={() => onChoose(target)} />
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
        {!found.length && <p className="p-2 text-soft">Nothing is called that.</p>}
      </div>
    </nav>
  );
}

function Choice({ target, isChosen, onChoose }: { target: Target; isChosen: boolean; onChoose: () => void }) {
  const { icon: Icon, color } = KINDS[target.kind === "route" ? "http" : target.kind === "topic" ? "event" : "cron"];
  return (
    <button
      type="button"
      aria-current={isChosen ? "true" : undefined}
      onClick={onChoose}
      className={clsx("flex w-full items-start gap-2 rounded-md px-2 py-1 text-left hover:bg-hover", isChosen && "bg-accent-wash hover:bg-accent-wash")}
    >
      {target.kind === "route" ? <Method name={target.route.method} /> : <Icon size={14} aria-hidden className={clsx("mt-0.5 shrink-0", color)} />}
      <span className="min-w-0 flex-1">
        <span className="block truncate">{target.kind === "route" ? target.route.path : target.name}</span>
        {target.hint && <span className="block truncate text-xs text-faint">{target.hint}</span>}
      </span>
    </button>
  );
}

/** An HTTP method, as wide as the longest. */
export function Method({ name }: { name: string }) {
  return <span className="mt-px w-12 shrink-0 font-mono text-2xs leading-5 font-semibold text-http">{name === "DELETE" ? "DEL" : name}</span>;
}
