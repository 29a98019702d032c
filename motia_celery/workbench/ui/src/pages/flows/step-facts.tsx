import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { componentsQuery } from "@/api/queries";
import type { StepDetail } from "@/api/shapes";
import { zoned } from "@/logic/time";
import { Facts, Section } from "@/ui/page";
import { ProblemRow } from "@/ui/problem-row";
import { KINDS } from "@/ui/kinds";

/** What is to be known of a Step at a glance. */
export function StepFacts({ step }: { step: StepDetail }) {
  return (
    <div className="flex flex-col gap-5 p-4">
      {step.description && <p>{step.description}</p>}
      {step.problems.length > 0 && (
        <Section title="Problems">
          {step.problems.map((problem) => (
            <ProblemRow key={problem.what} problem={problem} />
          ))}
        </Section>
      )}
      <Section title="Step">
        <Facts facts={generalFacts(step)} />
      </Section>
      {step.queue_options && (
        <Section title="Queue">
          <Facts facts={queueFacts(step)} />
        </Section>
      )}
    </div>
  );
}

function generalFacts(step: StepDetail): [string, ReactNode][] {
  const facts: [string, ReactNode][] = [
    ["Kind", KINDS[step.kind].word],
    ["File", <Mono key="f">{step.file}</Mono>],
  ];
  if (step.component) facts.push(["Own node", <OwnNode key="node" step={step.name} file={step.component} />]);
  const lists: [string, readonly string[]][] = [
    ["Routes", step.routes],
    ["Subscribes", step.subscribes],
    ["Cron", step.crons],
    ["Emits", step.emits.map(({ topic, label, conditional }) => `${topic}${label ? ` (${label})` : ""}${conditional ? " ◇" : ""}`)],
    ["Virtual", [...step.virtual_subscribes, ...step.virtual_emits.map((emit) => emit.topic)]],
  ];
  for (const [name, values] of lists) if (values.length) facts.push([name, <List key={name} values={values} />]);
  if (step.flows.length) facts.push(["Flows", <FlowLinks key="flows" flows={step.flows} />]);
  facts.push(["Attempts", `at most ${step.max_attempts}`]);
  if (step.timeout_seconds) facts.push(["Timeout", `${step.timeout_seconds} s`]);
  for (const schedule of step.schedules) {
    const [next] = schedule.next_at;
    if (next) facts.push(["Next", `${zoned(next, schedule.timezone)} (${schedule.timezone})`]);
  }
  return facts;
}

/** The file that draws the Step, or why it does not. */
function OwnNode({ step, file }: { step: string; file: string }) {
  const { data: components } = useQuery(componentsQuery);
  const component = components?.find((each) => each.step === step);
  if (!component?.fault) return <Mono>{file}</Mono>;
  return (
    <>
      <Mono>{component.where}</Mono> <span className="text-warn">{component.fault}</span>
    </>
  );
}

function queueFacts({ queue, queue_options: options }: StepDetail): [string, ReactNode][] {
  if (!options) return [];
  const facts: [string, ReactNode][] = [
    ["Name", <Mono key="q">{queue}</Mono>],
    ["Type", options.type],
    ["Visibility", `${options.visibility_timeout_seconds} s`],
  ];
  if (options.delay_seconds) facts.push(["Delay", `${options.delay_seconds} s`]);
  if (options.concurrency) facts.push(["Concurrency", options.concurrency_key ? `${options.concurrency} per ${options.concurrency_key}` : options.concurrency]);
  if (options.rate) facts.push(["Rate", options.rate]);
  if (options.priority) facts.push(["Priority", options.priority]);
  if (options.partitions) facts.push(["Partitions", options.partitions]);
  return facts;
}

function Mono({ children }: { children: ReactNode }) {
  return <code className="font-mono text-xs break-all">{children}</code>;
}

function List({ values }: { values: readonly string[] }) {
  return (
    <ul>
      {values.map((value) => (
        <li key={value}>
          <Mono>{value}</Mono>
        </li>
      ))}
    </ul>
  );
}

function FlowLinks({ flows }: { flows: readonly string[] }) {
  return (
    <ul className="flex flex-wrap gap-x-3">
      {flows.map((flow) => (
        <li key={flow}>
          <Link to="/flows" search={{ flow }} className="text-accent hover:underline">
            {flow}
          </Link>
        </li>
      ))}
    </ul>
  );
}
