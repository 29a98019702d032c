import { clsx } from "clsx";
import { Search } from "lucide-react";
import { type ComponentProps, useEffect, useState } from "react";

/** One choice of a list, by the browser's own control. */
export function Select({ label, options, className, ...rest }: SelectProps) {
  return (
    <select aria-label={label} {...rest} className={clsx("field max-w-52 shrink-0 pr-1", className)}>
      {options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}

interface SelectProps extends Omit<ComponentProps<"select">, "children"> {
  label: string;
  options: readonly (readonly [string, string])[];
}

interface SearchFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  className?: string;
}

/** A search field that tells what was typed once the hand rests. */
export function SearchField({ label, value, onChange, className = "sm:max-w-64" }: SearchFieldProps) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), 200);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <div className={clsx("relative min-w-44 flex-1", className)}>
      <Search size={13} aria-hidden className="absolute top-1/2 left-2 -translate-y-1/2 text-faint" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && onChange(typed)}
        className="field w-full pl-7"
      />
    </div>
  );
}

/** A line of text with its label above. */
export function TextField({ label, className, ...rest }: ComponentProps<"input"> & { label: string }) {
  return (
    <label className={clsx("flex flex-col gap-1", className)}>
      <span className="text-xs text-soft">{label}</span>
      <input {...rest} className="field w-full" />
    </label>
  );
}

interface TabsProps<Name extends string> {
  label: string;
  tabs: readonly (readonly [Name, string])[];
  value: Name;
  onChange: (name: Name) => void;
}

/** A row of views, one of which is shown. */
export function Tabs<Name extends string>({ label, tabs, value, onChange }: TabsProps<Name>) {
  return (
    <div role="group" aria-label={label} className="inline-flex max-w-full gap-0.5 overflow-x-auto rounded-md bg-hover p-0.5">
      {tabs.map(([name, text]) => (
        <button
          key={name}
          type="button"
          aria-pressed={name === value}
          onClick={() => onChange(name)}
          className={clsx(
            "h-6 rounded px-2.5 font-medium whitespace-nowrap",
            name === value ? "bg-panel text-ink shadow-xs" : "text-soft hover:text-ink",
          )}
        >
          {text}
        </button>
      ))}
    </div>
  );
}
