import { clsx } from "clsx";
import { CircleCheck, CircleX } from "lucide-react";
import { useEffect, useRef } from "react";
import { parsed } from "@/logic/json";
import { bytes, duration } from "@/logic/time";
import { JsonView } from "@/ui/json-view";
import { Section } from "@/ui/page";
import { TraceLive } from "./trace-live";

/** What a route answered. */
export interface Response {
  status: number;
  statusText: string;
  tookMs: number;
  headers: [string, string][];
  text: string;
  traceId: string | null;
}

/** The answer, how long it took, and the trace that it started. */
export function Outcome({ response }: { response: Response }) {
  const isGood = response.status < 400;
  const Icon = isGood ? CircleCheck : CircleX;
  const body = parsed(response.text);
  const answer = useRef<HTMLDivElement>(null);
  // Below a long form it would come unseen.
  useEffect(() => {
    // Newer browsers give a promise here, which no effect may give to React.
    void answer.current?.scrollIntoView({ block: "nearest" });
  }, [response]);
  return (
    <div ref={answer}>
      <Section
        title="Response"
        aside={
          <span role="status" className="flex items-center gap-3 tabular-nums">
            <span className={clsx("flex items-center gap-1.5 font-medium", isGood ? "text-good" : "text-bad")}>
              <Icon size={14} aria-hidden />
              {response.status} {response.statusText}
            </span>
            <span className="text-soft">{duration(response.tookMs)}</span>
            <span className="text-soft max-sm:hidden">{bytes(new Blob([response.text]).size)}</span>
          </span>
        }
      >
        <div className="flex flex-col gap-3">
          {response.text &&
            ("value" in body ? (
              <JsonView label="Response body" value={body.value} className="max-h-96 overflow-hidden" />
            ) : (
              <pre tabIndex={0} className="max-h-96 overflow-auto rounded-md border border-line bg-canvas p-2.5 font-mono text-xs whitespace-pre-wrap">
                {response.text}
              </pre>
            ))}
          <details>
            <summary className="text-soft">{response.headers.length} headers</summary>
            <dl className="mt-1 grid grid-cols-[max-content_1fr] gap-x-4 font-mono text-xs">
              {response.headers.map(([name, value]) => (
                <div key={name} className="contents">
                  <dt className="text-soft">{name}</dt>
                  <dd className="break-all">{value}</dd>
                </div>
              ))}
            </dl>
          </details>
          {response.traceId && <TraceLive trace={response.traceId} />}
        </div>
      </Section>
    </div>
  );
}
