import { clsx } from "clsx";
import { Check, Copy } from "lucide-react";
import { memo, useMemo, useState } from "react";
import { pretty, type TokenKind, tokens } from "@/logic/json";
import { Button, IconButton } from "./button";

const COLORS: Record<TokenKind, string | undefined> = {
  key: undefined,
  text: "text-good",
  value: "text-warn",
  mark: "text-faint",
};
const COLORED_CHARACTERS = 20_000;

interface JsonViewProps {
  label: string;
  value: unknown;
  className?: string;
}

/** A JSON value, to read and to copy. */
export const JsonView = memo(function JsonView({ label, value, className }: JsonViewProps) {
  const text = useMemo(() => pretty(value), [value]);
  const parts = useMemo(() => (text.length > COLORED_CHARACTERS ? null : tokens(text)), [text]);
  return (
    <div className={clsx("group relative min-w-0 rounded-md border border-line bg-canvas", className)}>
      <pre
        tabIndex={0}
        aria-label={label}
        role="region"
        className="max-h-[inherit] overflow-auto p-2.5 pr-9 font-mono text-xs leading-[1.55] break-words whitespace-pre-wrap"
      >
        {parts
          ? parts.map(({ kind, text: part }, at) => (
              <span key={at} className={COLORS[kind]}>
                {part}
              </span>
            ))
          : text}
      </pre>
      <CopyButton text={text} className="absolute top-1 right-1" />
    </div>
  );
});

interface CopyButtonProps {
  text: string;
  label?: string;
  className?: string;
  /** The label is written on it. */
  worded?: boolean;
}

/** A button that copies a text, and says so. */
export function CopyButton({ text, label = "Copy", className, worded = false }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  async function copy() {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  }
  if (worded) {
    return (
      <Button icon={copied ? Check : Copy} className={className} onClick={() => void copy()}>
        {copied ? "Copied" : label}
      </Button>
    );
  }
  return (
    <IconButton
      icon={copied ? Check : Copy}
      label={copied ? "Copied" : label}
      className={clsx("size-6 bg-panel", className)}
      onClick={() => void copy()}
    />
  );
}

/** An id in monospace, short, with the whole of it to copy. */
export function Id({ value, length = 8 }: { value: string; length?: number }) {
  return (
    <span className="inline-flex items-center gap-1">
      <code className="font-mono text-xs" title={value}>
        {value.length > length ? value.slice(0, length) : value}
      </code>
      <CopyButton text={value} label={`Copy ${value}`} className="!size-5 !bg-transparent" />
    </span>
  );
}
