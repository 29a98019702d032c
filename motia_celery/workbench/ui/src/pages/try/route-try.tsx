import { Send } from "lucide-react";
import { useState } from "react";
import type { Route } from "@/api/shapes";
import { curlOf, type Draft, headersOf, takesBody, urlOf } from "@/logic/curl";
import { parsed, pretty, sample } from "@/logic/json";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/fields";
import { CopyButton } from "@/ui/json-view";
import { Section } from "@/ui/page";
import { tellError } from "@/ui/toast";
import { JsonInput } from "./json-input";
import { Outcome, type Response } from "./outcome";
import { Pairs } from "./pairs";
import { RecentInputs } from "./recent-inputs";
import { Method } from "./target-list";
import { useRecent } from "./use-recent";

/** A form for one route, and what it answered. */
export function RouteTry({ route }: { route: Route }) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(route));
  const [response, setResponse] = useState<Response | null>(null);
  const [busy, setBusy] = useState(false);
  const recent = useRecent(`route ${route.method} ${route.path}`);
  const change = (part: Partial<Draft>) => setDraft((known) => ({ ...known, ...part }));
  const hasBody = takesBody(route.method);
  const fault = hasBody && "fault" in parsed(draft.body);
  const missing = (route.path_params ?? []).filter((name) => !draft.params[name]);

  async function send() {
    setBusy(true);
    try {
      const next = await request(draft);
      setResponse(next);
      recent.add(String(next.status), draft);
    } catch (error) {
      tellError(error as Error);
    }
    setBusy(false);
  }

  return (
    <form
      // What does not fit is marked by the form of the schema, and sent all the same.
      noValidate
      className="flex flex-col gap-5 p-4"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div className="flex flex-wrap items-center gap-2">
        <Method name={route.method} />
        <code className="min-w-0 flex-1 font-mono break-all">{urlOf(draft)}</code>
        <CopyButton label="Copy as curl" text={curlOf(draft, location.origin)} worded />
        <Button type="submit" look="primary" icon={Send} disabled={busy || missing.length > 0}>
          {busy ? "Sending" : "Send"}
        </Button>
      </div>
      {route.description && <p className="-mt-2 text-soft">{route.description}</p>}
      <Params route={route} draft={draft} change={change} />
      <Pairs title="Query" pairs={draft.query} onChange={(query) => change({ query })} hints={hintsOf(route)} />
      <Pairs title="Headers" pairs={draft.headers} onChange={(headers) => change({ headers })} />
      {hasBody && <JsonInput title="Body" text={draft.body} schema={route.body_schema ?? null} onChange={(body) => change({ body })} />}
      {fault && <p className="-mt-3 text-xs text-warn">This is no JSON; it is sent as it is.</p>}
      {response && <Outcome response={response} />}
      <RecentInputs recent={recent.list} onChoose={(input) => setDraft({ ...draftOf(route), ...(input as Partial<Draft>) })} />
    </form>
  );
}

interface ParamsProps {
  route: Route;
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}

function Params({ route, draft, change }: ParamsProps) {
  const names = route.path_params ?? [];
  if (!names.length) return null;
  return (
    <Section title="Path">
      <div className="grid gap-3 sm:grid-cols-2">
        {names.map((name) => (
          <TextField
            key={name}
            label={name}
            required
            value={draft.params[name] ?? ""}
            onChange={(event) => change({ params: { ...draft.params, [name]: event.target.value } })}
          />
        ))}
      </div>
    </Section>
  );
}

function draftOf(route: Route): Draft {
  const body = takesBody(route.method) && route.body_schema ? pretty(sample(route.body_schema)) : "";
  const query = (route.query_params ?? []).map(({ name }): [string, string] => [name, ""]);
  return { method: route.method, path: route.url, params: {}, query, headers: [], body };
}

function hintsOf(route: Route): Record<string, string> {
  return Object.fromEntries((route.query_params ?? []).map(({ name, description }) => [name, description ?? ""]));
}

async function request(draft: Draft): Promise<Response> {
  const query = draft.query.filter(([, value]) => value !== "");
  const began = performance.now();
  const answer = await fetch(urlOf({ ...draft, query }), {
    method: draft.method,
    headers: headersOf(draft),
    body: takesBody(draft.method) && draft.body ? draft.body : undefined,
  });
  const text = await answer.text();
  return {
    status: answer.status,
    statusText: answer.statusText,
    tookMs: performance.now() - began,
    headers: [...answer.headers],
    text,
    traceId: answer.headers.get("x-trace-id"),
  };
}
