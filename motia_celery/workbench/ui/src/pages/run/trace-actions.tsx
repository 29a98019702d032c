import { useMutation } from "@tanstack/react-query";
import { Ban } from "lucide-react";
import { useState } from "react";
import { api, taken } from "@/api/client";
import type { Trace } from "@/api/shapes";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { tell, tellError } from "@/ui/toast";

/** What can be done with a whole trace. */
export function TraceActions({ trace }: { trace: Trace }) {
  const [asking, setAsking] = useState(false);
  const { mutate, isPending } = useMutation({
    mutationFn: () => taken(api.POST("/traces/{trace_id}/cancel", { params: { path: { trace_id: trace.id } } })),
    onSuccess: () => {
      setAsking(false);
      tell("The trace is cancelled");
    },
    onError: tellError,
  });
  const goesOn = trace.runs.some((run) => ["queued", "running", "retrying"].includes(run.status));
  if (!goesOn) return null;
  return (
    <>
      <Button icon={Ban} onClick={() => setAsking(true)}>
        Cancel all
      </Button>
      {asking && (
        <Confirm title="Cancel this trace?" action="Cancel all its runs" busy={isPending} onConfirm={() => mutate()} onClose={() => setAsking(false)}>
          Its runs are cut where they are, and no further one begins. What they did stays done.
        </Confirm>
      )}
    </>
  );
}
