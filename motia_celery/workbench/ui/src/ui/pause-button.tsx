import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Pause, Play } from "lucide-react";
import { api, taken } from "@/api/client";
import { Button } from "./button";
import { tell, tellError } from "./toast";

/** Pauses a Step, or lets it go on. */
export function PauseButton({ step, paused }: { step: string; paused: boolean }) {
  const cache = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: () => {
      const params = { path: { name: step } };
      return taken(paused ? api.POST("/steps/{name}/resume", { params }) : api.POST("/steps/{name}/pause", { params }));
    },
    onSuccess: () => {
      tell(paused ? `${step} goes on` : `${step} is paused; its events wait in its queue`);
      for (const key of ["graph", "step", "queues", "schedules", "crons"]) void cache.invalidateQueries({ queryKey: [key] });
    },
    onError: tellError,
  });
  return (
    <Button icon={paused ? Play : Pause} disabled={isPending} onClick={() => mutate()} aria-label={`${paused ? "Resume" : "Pause"} ${step}`}>
      {paused ? "Resume" : "Pause"}
    </Button>
  );
}
