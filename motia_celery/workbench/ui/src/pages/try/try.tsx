import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ArrowLeft, Send } from "lucide-react";
import { useMemo } from "react";
import { cronsQuery, routesQuery, topicsQuery } from "@/api/queries";
import { IconButton } from "@/ui/button";
import { Empty, Failed, Loading } from "@/ui/empty";
import { Page } from "@/ui/page";
import { CronTry } from "./cron-try";
import { RouteTry } from "./route-try";
import { TargetList } from "./target-list";
import { findTarget, type Target, targetsOf } from "./targets";
import { TopicTry } from "./topic-try";

const route = getRouteApi("/try");

const FIRST_ROUTE = `config = {"type": "api", "name": "hello", "path": "/hello", "method": "GET", "emits": []}

async def handler(request, context):
    return {"status": 200, "body": {"hello": "world"}}`;

/** Every route, topic and cron, to be started by hand. */
export function Try() {
  const { kind, name, text = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const routes = useQuery(routesQuery);
  const topics = useQuery(topicsQuery);
  const crons = useQuery(cronsQuery);
  const targets = useMemo(() => targetsOf(routes.data ?? [], topics.data ?? [], crons.data ?? []), [routes.data, topics.data, crons.data]);
  const failed = [routes, topics, crons].find((query) => query.error);

  if (failed?.error) return <Failed error={failed.error} retry={failed.refetch} />;
  if (!routes.data || !topics.data || !crons.data) return <Loading />;
  const target = findTarget(targets, kind, name);
  const choose = (next?: Target) => void navigate({ search: (known) => ({ text: known.text, kind: next?.kind, name: next?.name }) });
  return (
    <Page title="Try" actions={target && <IconButton className="lg:hidden" icon={ArrowLeft} label="Back to the list" onClick={() => choose()} />}>
      {targets.length === 0 ? (
        <Empty icon={Send} title="There is nothing to try yet" code={FIRST_ROUTE}>
          Save this as steps/hello_step.py
        </Empty>
      ) : (
        <div className="flex min-h-0 flex-1">
          <TargetList
            targets={targets}
            chosen={target}
            text={text}
            onText={(next) => void navigate({ search: (known) => ({ ...known, text: next || undefined }), replace: true })}
            onChoose={choose}
          />
          <div className={target ? "min-w-0 flex-1 overflow-auto" : "hidden min-w-0 flex-1 lg:flex"}>
            {target ? <Chosen key={`${target.kind} ${target.name}`} target={target} /> : <Empty icon={Send} title="Choose a route, a topic or a cron" />}
          </div>
        </div>
      )}
    </Page>
  );
}

function Chosen({ target }: { target: Target }) {
  if (target.kind === "route") return <RouteTry route={target.route} />;
  if (target.kind === "topic") return <TopicTry topic={target.topic} />;
  return <CronTry cron={target.cron} />;
}
