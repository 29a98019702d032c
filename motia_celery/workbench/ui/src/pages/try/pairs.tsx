import { Plus, X } from "lucide-react";
import { Button, IconButton } from "@/ui/button";
import { Section } from "@/ui/page";

type Pair = readonly [string, string];

interface PairsProps {
  title: string;
  pairs: readonly Pair[];
  onChange: (pairs: readonly Pair[]) => void;
  hints?: Readonly<Record<string, string>>;
}

/** Names and values to type in, as many as are wanted. */
export function Pairs({ title, pairs, onChange, hints = {} }: PairsProps) {
  const put = (at: number, pair: Pair) => onChange(pairs.map((each, index) => (index === at ? pair : each)));
  return (
    <Section
      title={title}
      aside={
        <Button look="ghost" icon={Plus} onClick={() => onChange([...pairs, ["", ""]])} aria-label={`Add to ${title}`}>
          Add
        </Button>
      }
    >
      <ul className="flex flex-col gap-1.5">
        {pairs.map(([name, value], at) => (
          <li key={at} className="flex gap-1.5">
            <input aria-label={`${title}: name`} placeholder="Name" value={name} onChange={(event) => put(at, [event.target.value, value])} className="field w-2/5 min-w-0 font-mono text-xs" />
            <input
              aria-label={`${title}: value of ${name || "the new one"}`}
              placeholder={hints[name] || "Value"}
              value={value}
              onChange={(event) => put(at, [name, event.target.value])}
              className="field min-w-0 flex-1 font-mono text-xs"
            />
            <IconButton icon={X} label={`Remove ${name || "this one"}`} onClick={() => onChange(pairs.filter((_, index) => index !== at))} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
