import { useQuery } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { problemsQuery } from "@/api/queries";
import { Empty, Failed, Loading } from "@/ui/empty";
import { Page } from "@/ui/page";
import { ProblemRow } from "@/ui/problem-row";

/** What there is to mend in the project. */
export function Problems() {
  const { data: problems, error, refetch } = useQuery(problemsQuery);
  if (error) return <Failed error={error} retry={refetch} />;
  if (!problems) return <Loading />;
  const errors = problems.filter(({ severity }) => severity === "error").length;
  return (
    <Page title="Problems" count={problems.length ? summary(errors, problems.length - errors) : undefined}>
      <div className="flex min-h-0 flex-1 overflow-auto">
        {problems.length ? (
          <div className="w-full max-w-3xl px-4 py-1">
            {problems.map((problem) => (
              <ProblemRow key={`${problem.file}:${problem.line}:${problem.what}`} problem={problem} />
            ))}
          </div>
        ) : (
          <Empty icon={CircleCheck} title="Nothing is wrong with the project" code="motia-celery check">
            The same is checked by
          </Empty>
        )}
      </div>
    </Page>
  );
}

function summary(errors: number, warnings: number): string {
  const parts = [many(errors, "error"), many(warnings, "warning")].filter((part) => !part.startsWith("0 "));
  return parts.join(", ");
}

function many(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
