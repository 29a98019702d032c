import { Link } from "@tanstack/react-router";
import type { Problem } from "@/api/shapes";
import { Status } from "./status";

/** One thing to mend: what, where, and how. */
export function ProblemRow({ problem }: { problem: Problem }) {
  const where = problem.file && `${problem.file}${problem.line ? `:${problem.line}` : ""}`;
  return (
    <article className="border-b border-line py-2.5 last:border-0">
      <div className="flex flex-wrap items-center gap-x-3">
        <Status status={problem.severity} className="font-medium" />
        {where && <code className="font-mono text-xs break-all text-soft">{where}</code>}
        {problem.step && (
          <Link to="/flows" search={{ step: problem.step, tab: "source" }} className="text-accent hover:underline">
            Show the source
          </Link>
        )}
      </div>
      <p className="mt-1 break-words">{problem.what}</p>
      {problem.fix && <p className="mt-0.5 break-words text-soft">{problem.fix}</p>}
    </article>
  );
}
