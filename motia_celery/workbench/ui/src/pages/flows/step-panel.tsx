import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Send } from "lucide-react";
import { stepQuery } from "@/api/queries";
import type { StepDetail } from "@/api/shapes";
import { Editor } from "@/ui/editor";
import { Failed, Loading } from "@/ui/empty";
import { Tabs } from "@/ui/fields";
import { JsonView } from "@/ui/json-view";
import { KINDS } from "@/ui/kinds";
import { Panel } from "@/ui/panel";
import { PauseButton } from "@/ui/pause-button";
import { StepFacts } from "./step-facts";
import { StepRuns } from "./step-runs";

const TABS = [
  ["overview", "Overview"],
  ["config", "Config"],
  ["schema", "Schema"],
  ["source", "Source"],
  ["runs", "Runs"],
] as const;
type Tab = (typeof TABS)[number][0];

interface StepPanelProps {
  name: string;
  tab: string | undefined;
  /** A line of the source to show, in place of the handler's. */
  line: number | undefined;
  onTab: (tab: Tab) => void;
  onClose: () => void;
}

/** Everything about one Step. */
export function StepPanel({ name, tab, line, onTab, onClose }: StepPanelProps) {
  const { data: step, error, refetch } = useQuery(stepQuery(name));
  const shown = TABS.find(([each]) => each === tab)?.[0] ?? "overview";
  return (
    <Panel
      label={`The Step ${name}`}
      title={<Title name={name} step={step} />}
      actions={step && <Actions step={step} />}
      onClose={onClose}
    >
      <div className="flex h-full flex-col">
        <div className="border-b border-line px-4 py-2">
          <Tabs label="What of the Step" tabs={TABS} value={shown} onChange={onTab} />
        </div>
        {error ? <Failed error={error} retry={refetch} /> : step ? <Shown step={step} tab={shown} line={line} /> : <Loading />}
      </div>
    </Panel>
  );
}

function Title({ name, step }: { name: string; step: StepDetail | undefined }) {
  if (!step) return name;
  const { icon: Icon, color, word } = KINDS[step.kind];
  return (
    <span className="flex items-center gap-2">
      <Icon size={15} aria-label={word} className={`shrink-0 ${color}`} />
      <span className="truncate">{name}</span>
    </span>
  );
}

function Actions({ step }: { step: StepDetail }) {
  const target = tryOf(step);
  return (
    <>
      {step.queue && <PauseButton step={step.name} paused={step.paused} />}
      {target && (
        <Link
          to="/try"
          search={target}
          className="inline-flex h-7 items-center gap-1.5 rounded-md border border-line px-2.5 font-medium hover:bg-hover"
        >
          <Send size={14} aria-hidden /> Try
        </Link>
      )}
    </>
  );
}

function tryOf(step: StepDetail): { kind: string; name: string } | null {
  const [route] = step.routes;
  if (route) return { kind: "route", name: route };
  if (step.crons.length) return { kind: "cron", name: step.name };
  const topic = step.subscribes.find((each) => !/[*#]/.test(each));
  return topic ? { kind: "topic", name: topic } : null;
}

function Shown({ step, tab, line }: { step: StepDetail; tab: Tab; line: number | undefined }) {
  if (tab === "overview") return <StepFacts step={step} />;
  if (tab === "runs") return <StepRuns step={step.name} />;
  if (tab === "config") return <JsonView label="Config" value={step.config} className="m-4" />;
  if (tab === "schema") return <Schemas step={step} />;
  if (!step.source) return <p className="p-4 text-soft">The file can not be read.</p>;
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-1.5 p-4">
      <p className="font-mono text-xs break-all text-soft">
        {step.source.file}
        {(line ?? step.source.line) ? `:${line ?? step.source.line}` : ""}
      </p>
      <Editor
        label={`Source of ${step.source.file}`}
        value={step.source.text}
        language={step.source.language}
        line={line ?? step.source.line}
        className="min-h-80 flex-1"
      />
    </div>
  );
}

function Schemas({ step }: { step: StepDetail }) {
  const schemas: [string, unknown][] = [];
  if (step.input_schema) schemas.push(["Input", step.input_schema]);
  for (const route of step.api) {
    if (route.body_schema) schemas.push([`Body of ${route.method} ${route.path}`, route.body_schema]);
    for (const [status, schema] of Object.entries(route.response_schema ?? {})) schemas.push([`Response ${status}`, schema]);
  }
  if (!schemas.length) return <p className="p-4 text-soft">This Step has no schema.</p>;
  return (
    <div className="flex flex-col gap-4 p-4">
      {schemas.map(([name, schema]) => (
        <section key={name}>
          <h3 className="mb-1 text-xs font-semibold text-soft">{name}</h3>
          <JsonView label={name} value={schema} />
        </section>
      ))}
    </div>
  );
}
