import { History } from "lucide-react";
import type { Recent } from "@/logic/recent";
import { distance } from "@/logic/time";
import { Section } from "@/ui/page";
import { useNow } from "@/ui/use-now";

/** What was sent lately, to be sent again. */
export function RecentInputs({ recent, onChoose }: { recent: readonly Recent[]; onChoose: (input: unknown) => void }) {
  const now = useNow();
  if (!recent.length) return null;
  return (
    <Section title="Recent inputs">
      <ul className="flex flex-col">
        {recent.map(({ at, outcome, input }) => (
          <li key={at}>
            <button type="button" onClick={() => onChoose(input)} className="flex h-7 w-full items-center gap-2.5 rounded px-2 text-left hover:bg-hover">
              <History size={13} aria-hidden className="shrink-0 text-faint" />
              <span className="w-16 shrink-0 text-soft tabular-nums">{distance(at, now)}</span>
              <span className="w-16 shrink-0 truncate">{outcome}</span>
              <code className="min-w-0 flex-1 truncate font-mono text-xs text-soft">{gist(input)}</code>
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function gist(input: unknown): string {
  const { body, params, query } = (input ?? {}) as { body?: string; params?: unknown; query?: unknown };
  const text = typeof body === "string" ? [JSON.stringify(params), JSON.stringify(query), body].filter((each) => each && !/^(\{\}|\[\])$/.test(each)).join(" ") : String(input);
  return text.replace(/\s+/g, " ").slice(0, 200);
}
