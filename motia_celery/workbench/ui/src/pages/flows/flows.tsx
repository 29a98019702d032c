import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Workflow } from "lucide-react";
import { lazy, Suspense, useMemo } from "react";
import { activityQuery, graphQuery } from "@/api/queries";
import { countByStep } from "@/logic/activity";
import { Empty, Failed, Loading } from "@/ui/empty";
import { Select } from "@/ui/fields";
import { Page } from "@/ui/page";
import { ActivityContext } from "./activity-context";
import { StepPanel } from "./step-panel";

const Diagram = lazy(async () => ({ default: (await import("./diagram")).Diagram }));
const route = getRouteApi("/flows");

const FIRST_STEP = `config = {"type": "api", "name": "hello", "path": "/hello", "method": "GET", "emits": []}

async def handler(request, context):
    return {"status": 200, "body": {"hello": "world"}}`;

/** The app, or one flow of it, as a diagram. */
export function Flows() {
  const { flow = "", step, tab, line } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: graph, error, refetch } = useQuery(graphQuery);
  const { data: runs } = useQuery(activityQuery);
  const activity = useMemo(() => countByStep(runs?.values() ?? []), [runs]);

  if (error) return <Failed error={error} retry={refetch} />;
  if (!graph) return <Loading />;
  const flows = graph.flows.filter(({ name }) => name);
  const shown = graph.flows.find(({ name }) => name === flow)?.steps.length ?? 0;
  const select = (name?: string) =>
    void navigate({ search: (search) => ({ ...search, step: name, tab: name ? search.tab : undefined, line: undefined }), replace: true });

  return (
    <Page
      title="Flows"
      count={`${shown} ${shown === 1 ? "Step" : "Steps"}`}
      actions={
        <Select
          label="Flow"
          value={flow}
          onChange={(event) => void navigate({ search: { flow: event.target.value || undefined } })}
          options={[["", "Whole app"], ...flows.map(({ name }) => [name, name] as const)]}
        />
      }
    >
      <div className="flex min-h-0 flex-1">
        <div className="relative min-h-0 min-w-0 flex-1 bg-canvas">
          {graph.nodes.length === 0 ? (
            <div className="flex h-full">
              <Empty icon={Workflow} title="There are no Steps yet" code={FIRST_STEP}>
                Save this as steps/hello_step.py
              </Empty>
            </div>
          ) : (
            <ActivityContext value={activity}>
              <Suspense fallback={<Loading />}>
                <Diagram key={flow} graph={graph} flow={flow} selected={step} onSelect={select} />
              </Suspense>
            </ActivityContext>
          )}
        </div>
        {step && (
          <StepPanel
            name={step}
            tab={tab}
            line={line ? Number(line) : undefined}
            onTab={(next) => void navigate({ search: (search) => ({ ...search, tab: next }), replace: true })}
            onClose={() => select()}
          />
        )}
      </div>
    </Page>
  );
}
