import { getRouteApi } from "@tanstack/react-router";
import { Tabs } from "@/ui/fields";
import { Page } from "@/ui/page";
import { QueueList } from "./queue-list";
import { ScheduleList } from "./schedule-list";
import { WorkerList } from "./worker-list";

const route = getRouteApi("/queues");
const VIEWS = [
  ["queues", "Queues"],
  ["workers", "Workers"],
  ["schedules", "Schedules"],
] as const;

/** What waits, who works, and what comes when. */
export function QueuesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const view = VIEWS.find(([name]) => name === search.view)?.[0] ?? "queues";
  return (
    <Page
      title="Queues"
      actions={
        <Tabs
          label="Show"
          tabs={VIEWS}
          value={view}
          onChange={(next) => void navigate({ search: { view: next === "queues" ? undefined : next }, replace: true })}
        />
      }
    >
      <div className="flex min-h-0 flex-1 flex-col overflow-auto">
        {view === "queues" ? <QueueList /> : view === "workers" ? <WorkerList /> : <ScheduleList />}
      </div>
    </Page>
  );
}
