import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { TriangleAlert } from "lucide-react";
import type { Schedule } from "@/api/shapes";
import { count, duration, zoned } from "@/logic/time";

type Tick = NonNullable<Schedule["ticks"]>[number];
type Miss = NonNullable<Schedule["misses"]>[number];

/** Counts end here. */
const MOST = 1000;

/** What is wrong with a schedule now, in words; nothing where all is well. */
export function ScheduleFaults({ schedule }: { schedule: Schedule }) {
  const faults = [
    schedule.beats === false && !schedule.paused && "No beat is at work",
    schedule.overdue > 0 && `${many(schedule.overdue)} overdue`,
    schedule.overlaps > 0 && `${count(schedule.overlaps)} of its last runs overlap`,
  ].filter((fault) => typeof fault === "string");
  return faults.map((fault) => (
    <span key={fault} className="inline-flex items-center gap-1.5 text-warn">
      <TriangleAlert size={13} aria-hidden /> {fault}
    </span>
  ));
}

/** The last ticks of a schedule with what came of them, and those that were missed. */
export function SchedulePast({ schedule }: { schedule: Schedule }) {
  const { ticks = [], misses = [], timezone } = schedule;
  return (
    <>
      {misses.length > 0 && (
        <>
          <dt className="text-soft">Missed</dt>
          <dd>
            <ul>
              {misses.map((miss) => (
                <li key={miss.first_at}>{missText(miss, timezone)}</li>
              ))}
            </ul>
          </dd>
        </>
      )}
      {ticks.length > 0 && (
        <>
          <dt className="text-soft">Ran</dt>
          <dd>
            <ul className="flex flex-wrap gap-x-4">
              {ticks.map((tick) => (
                <li key={tick.at}>
                  <TickLink tick={tick} timezone={timezone} />
                </li>
              ))}
            </ul>
          </dd>
        </>
      )}
    </>
  );
}

function missText({ first_at: first, sent_at: sent, count: missed }: Miss, timezone: string): string {
  return `${many(missed)} from ${zoned(first, timezone)}, until ${zoned(sent, timezone)}`;
}

function many(ticks: number): string {
  return ticks === 1 ? "1 tick" : `${count(ticks)}${ticks >= MOST ? "+" : ""} ticks`;
}

function TickLink({ tick, timezone }: { tick: Tick; timezone: string }) {
  const text = tickText(tick);
  if (!tick.trace_id) return <span className="text-soft">{text}</span>;
  return (
    <Link
      to="/runs/$trace"
      params={{ trace: tick.trace_id }}
      search={{ run: tick.run_id }}
      title={zoned(tick.at, timezone)}
      className={clsx("hover:underline", tick.status === "failed" ? "text-bad" : tick.overlaps && "text-warn")}
    >
      {text}
    </Link>
  );
}

function tickText({ status, late_ms: late, duration_ms: took, overlaps }: Tick): string {
  if (!status) return "no run is known";
  const parts = [
    status,
    took != null && `in ${duration(took)}`,
    late != null && `${duration(late)} late`,
    overlaps && "overlaps the one before",
  ];
  return parts.filter(Boolean).join(", ");
}
