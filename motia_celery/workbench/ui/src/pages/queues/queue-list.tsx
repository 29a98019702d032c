import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Layers, TriangleAlert } from "lucide-react";
import { queuesQuery } from "@/api/queries";
import type { Queue } from "@/api/shapes";
import { perSecond } from "@/logic/rate";
import { count, duration } from "@/logic/time";
import { Empty, Failed, Loading } from "@/ui/empty";
import { PauseButton } from "@/ui/pause-button";
import { Status } from "@/ui/status";

const FIRST_QUEUE = `config = {"type": "event", "name": "charge", "subscribes": ["order.created"], "emits": []}

async def handler(data, context):
    context.logger.info("Charging", data)`;

/** How much waits for each Step, live. */
export function QueueList() {
  const { data, error, refetch } = useQuery(queuesQuery);
  if (error && !data) return <Failed error={error} retry={refetch} />;
  if (!data) return <Loading />;
  if (!data.queues.length) {
    return (
      <Empty icon={Layers} title="No Step has a queue yet" code={FIRST_QUEUE}>
        Each event Step has one:
      </Empty>
    );
  }
  return (
    <ul className="@container divide-y divide-line">
      {data.queues.map((queue) => (
        <QueueRow key={queue.name} queue={queue} />
      ))}
    </ul>
  );
}

function QueueRow({ queue }: { queue: Queue }) {
  const isAlone = queue.exists && queue.consumers === 0 && !queue.paused;
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-2 hover:bg-hover @3xl:grid-cols-[minmax(0,1fr)_27rem_8.5rem_6rem]">
      <div className="col-start-1 row-start-1 min-w-0">
        <Link to="/flows" search={{ step: queue.step }} className="font-medium hover:underline">
          {queue.step}
        </Link>
        {queue.type === "fifo" && <span className="ml-2 text-xs text-soft">fifo</span>}
        <p className="truncate font-mono text-xs text-faint">{queue.name}</p>
      </div>
      <dl className="col-span-2 row-start-2 grid grid-cols-5 gap-2 tabular-nums @3xl:col-span-1 @3xl:col-start-2 @3xl:row-start-1">
        <Figure name="Waiting" value={queue.depth == null ? "–" : count(queue.depth)} />
        <Figure name="Sent / s" value={perSecond(queue.sent_per_second)} />
        <Figure name="Begun / s" value={perSecond(queue.begun_per_second)} />
        <Figure name="Oldest" value={ageOf(queue)} />
        <Figure name="Consumers" value={queue.consumers == null ? "–" : count(queue.consumers)} />
      </dl>
      <div className="col-span-2 row-start-3 empty:hidden @3xl:col-span-1 @3xl:col-start-3 @3xl:row-start-1">
        {queue.paused ? (
          <Status status="paused" />
        ) : !queue.exists ? (
          <Warning text="Not declared yet" />
        ) : isAlone ? (
          <Warning text="No worker" />
        ) : null}
      </div>
      <div className="col-start-2 row-start-1 justify-self-end @3xl:col-start-4">
        <PauseButton step={queue.step} paused={queue.paused} />
      </div>
    </li>
  );
}

/** How long the oldest message has waited; of what others published only the most is known. */
function ageOf({ depth, oldest_ms: age, oldest_is_bound: isBound }: Queue): string {
  if (age == null || !depth) return "–";
  return isBound ? `≤ ${duration(age)}` : duration(age);
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className="min-w-0">
      <dt className="truncate text-2xs text-soft">{name}</dt>
      <dd className="truncate">{value}</dd>
    </div>
  );
}

function Warning({ text }: { text: string }) {
  return (
    <span className="inline-flex items-center gap-1.5 text-warn">
      <TriangleAlert size={13} aria-hidden /> {text}
    </span>
  );
}
