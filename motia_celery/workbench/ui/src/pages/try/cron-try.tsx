import { useMutation, useQuery } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { API, api, taken } from "@/api/client";
import { schedulesQuery } from "@/api/queries";
import type { Cron } from "@/api/shapes";
import { curlOf } from "@/logic/curl";
import { distance, zoned } from "@/logic/time";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/json-view";
import { Section } from "@/ui/page";
import { tellError } from "@/ui/toast";
import { useNow } from "@/ui/use-now";
import { TraceLive } from "./trace-live";

/** Runs a cron Step now; its schedule stays as it is. */
export function CronTry({ cron }: { cron: Cron }) {
  const now = useNow();
  const { data: schedules } = useQuery(schedulesQuery);
  const run = useMutation({
    mutationFn: () => taken(api.POST("/crons/{name}/run", { params: { path: { name: cron.step } } })),
    onError: tellError,
  });
  const path = `${API}/crons/${encodeURIComponent(cron.step)}/run`;
  const curl = curlOf({ method: "POST", path, params: {}, query: [], headers: [], body: "" }, location.origin);
  const own = schedules?.filter((schedule) => schedule.step === cron.step) ?? [];
  return (
    <div className="flex flex-col gap-5 p-4">
      <div className="flex flex-wrap items-center gap-2">
        <span className="min-w-0 flex-1 truncate font-medium">{cron.step}</span>
        <CopyButton label="Copy as curl" text={curl} worded />
        <Button look="primary" icon={Play} disabled={run.isPending} onClick={() => run.mutate()}>
          Run now
        </Button>
      </div>
      {cron.description && <p className="-mt-2 text-soft">{cron.description}</p>}
      {own.map((schedule) => (
        <Section key={schedule.name} title={`${schedule.expression} (${schedule.timezone})`}>
          <ul>
            {schedule.next_at.map((moment) => (
              <li key={moment} className="flex gap-4 tabular-nums">
                <time dateTime={new Date(moment).toISOString()}>{zoned(moment, schedule.timezone)}</time>
                <span className="text-soft">{distance(moment, now)}</span>
              </li>
            ))}
          </ul>
        </Section>
      ))}
      {run.data && <TraceLive trace={run.data.trace_id} />}
    </div>
  );
}
