import { Link } from "@tanstack/react-router";
import { CircleX } from "lucide-react";
import type { RunError } from "@/api/shapes";

/** Why something failed, and the line where it did. */
export function ErrorView({ error, step }: { error: RunError; step?: string }) {
  return (
    <section aria-label="Error" className="rounded-md border border-bad/40 bg-bad-wash p-3">
      <p className="flex gap-2 font-medium break-words">
        <CircleX size={15} aria-hidden className="mt-0.5 shrink-0 text-bad" />
        <span className="min-w-0 break-words">
          <span className="text-bad">{error.type}</span>
          {error.message && `: ${error.message}`}
        </span>
      </p>
      {error.where && (
        <p className="mt-1 pl-[23px] font-mono text-xs break-all">
          {step ? (
            <Link to="/flows" search={{ step, tab: "source", line: lineOf(error.where) }} className="text-ink underline">
              {error.where}
            </Link>
          ) : (
            error.where
          )}
        </p>
      )}
      {error.traceback && (
        <details className="mt-2 pl-[23px]">
          <summary className="text-soft">Traceback</summary>
          <pre tabIndex={0} className="mt-1 max-h-72 overflow-auto font-mono text-2xs leading-relaxed whitespace-pre">
            {error.traceback}
          </pre>
        </details>
      )}
    </section>
  );
}

/** The line in `file:line`, as a text for the URL. */
function lineOf(where: string): string | undefined {
  return /:(\d+)$/.exec(where)?.[1];
}
