import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Ban, Pencil, RotateCw } from "lucide-react";
import { useState } from "react";
import { api, taken } from "@/api/client";
import type { RunDetail } from "@/api/shapes";
import { Button, IconButton } from "@/ui/button";
import { EditDialog } from "@/ui/edit-dialog";
import { tell, tellError } from "@/ui/toast";

/** Do it again, do it again with another input, or stop it. */
export function RunActions({ run }: { run: RunDetail }) {
  const [editing, setEditing] = useState(false);
  const navigate = useNavigate();
  const params = { path: { run_id: run.id } };
  const rerun = useMutation({
    mutationFn: (edited?: { data: unknown }) => taken(api.POST("/runs/{run_id}/rerun", { params, body: { edited } })),
    onSuccess: (started) => {
      setEditing(false);
      tell(`${run.step} runs again`);
      void navigate({ to: "/runs/$trace", params: { trace: started.trace_id } });
    },
    onError: tellError,
  });
  const cancel = useMutation({
    mutationFn: () => taken(api.POST("/runs/{run_id}/cancel", { params })),
    onSuccess: () => tell("The run is cancelled"),
    onError: tellError,
  });
  const isWhole = run.input && !run.input.truncated && !run.input.masked;
  const isOver = !["queued", "running", "retrying"].includes(run.status);
  return (
    <>
      {!isOver && (
        <Button icon={Ban} disabled={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel
        </Button>
      )}
      {run.can_rerun && (
        <>
          {isWhole && (
            <Button icon={RotateCw} disabled={rerun.isPending} onClick={() => rerun.mutate(undefined)}>
              Rerun
            </Button>
          )}
          {isWhole ? (
            <IconButton icon={Pencil} look="plain" label="Rerun with an edited input" onClick={() => setEditing(true)} />
          ) : (
            <Button icon={Pencil} onClick={() => setEditing(true)}>
              Rerun with an edited input
            </Button>
          )}
        </>
      )}
      {editing && (
        <EditDialog
          title={`Rerun ${run.step} with another input`}
          action="Rerun"
          value={run.input?.truncated ? null : run.input?.value}
          busy={rerun.isPending}
          onDone={(data) => rerun.mutate({ data })}
          onClose={() => setEditing(false)}
        />
      )}
    </>
  );
}
