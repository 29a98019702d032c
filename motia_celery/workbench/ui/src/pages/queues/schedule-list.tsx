import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CalendarClock, Play } from "lucide-react";
import { useEffect } from "react";
import { schedulesQuery } from "@/api/queries";
import type { Schedule } from "@/api/shapes";
import { distance, zoned } from "@/logic/time";
import { Empty, Failed, Loading } from "@/ui/empty";
import { PauseButton } from "@/ui/pause-button";
import { Status } from "@/ui/status";
import { useNow } from "@/ui/use-now";
import { ScheduleFaults, SchedulePast } from "./schedule-past";

const FIRST_CRON = `config = {"type": "cron", "name": "report", "cron": "0 6 * * *", "emits": []}

async def handler(context):
    context.logger.info("Good morning")`;
const AFTER_TICK_MS = 1500;

/** What the clock starts, and when. */
export function ScheduleList() {
  const { data: schedules, error, refetch } = useQuery(schedulesQuery);
  const now = useNow();
  useNextTick(schedules);
  if (error && !schedules) return <Failed error={error} retry={refetch} />;
  if (!schedules) return <Loading />;
  if (!schedules.length) return <Empty icon={CalendarClock} title="The clock starts no Step yet" code={FIRST_CRON} />;
  return (
    <ul className="divide-y divide-line">
      {schedules.map((schedule) => (
        <ScheduleRow key={schedule.name} schedule={schedule} now={now} />
      ))}
    </ul>
  );
}

/** Asks anew once the next tick has passed. */
function useNextTick(schedules: readonly Schedule[] | undefined) {
  const cache = useQueryClient();
  const next = Math.min(...(schedules ?? []).flatMap((schedule) => schedule.next_at.slice(0, 1)));
  useEffect(() => {
    if (!Number.isFinite(next)) return;
    const wait = Math.min(Math.max(next - Date.now(), 0) + AFTER_TICK_MS, 2 ** 31 - 1);
    const timer = setTimeout(() => void cache.invalidateQueries({ queryKey: schedulesQuery.queryKey }), wait);
    return () => clearTimeout(timer);
  }, [next, cache]);
}

function ScheduleRow({ schedule, now }: { schedule: Schedule; now: number }) {
  const { step, expression, timezone, last_at: last, next_at: next, paused } = schedule;
  return (
    <li className="flex flex-col gap-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <Link to="/flows" search={{ step }} className="font-medium hover:underline">
          {step}
        </Link>
        <code className="font-mono text-xs">{expression}</code>
        <span className="text-soft">{timezone}</span>
        {paused && <Status status="paused" />}
        <ScheduleFaults schedule={schedule} />
        <span className="ml-auto flex gap-2">
          <Link to="/try" search={{ kind: "cron", name: step }} className="inline-flex h-7 items-center gap-1.5 rounded-md border border-line px-2.5 font-medium hover:bg-hover">
            <Play size={14} aria-hidden /> Run now
          </Link>
          <PauseButton step={step} paused={paused} />
        </span>
      </div>
      <dl className="grid grid-cols-[max-content_minmax(0,1fr)] gap-x-4 gap-y-0.5 tabular-nums">
        <dt className="text-soft">Last</dt>
        <dd>{last == null ? <span className="text-soft">never</span> : <Moment at={last} now={now} timezone={timezone} />}</dd>
        <dt className="text-soft">Next</dt>
        <dd>
          <ol>
            {next.map((at) => (
              <li key={at}>
                <Moment at={at} now={now} timezone={timezone} />
              </li>
            ))}
          </ol>
        </dd>
        <SchedulePast schedule={schedule} />
      </dl>
    </li>
  );
}

function Moment({ at, now, timezone }: { at: number; now: number; timezone: string }) {
  return (
    <span>
      <time dateTime={new Date(at).toISOString()}>{zoned(at, timezone)}</time> <span className="text-soft">{distance(at, now)}</span>
    </span>
  );
}
