import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, taken } from "@/api/client";
import { letterChoice } from "@/logic/letters";
import { tell, tellError } from "@/ui/toast";

type Choice = Partial<ReturnType<typeof letterChoice>> & { ids?: string[] };

const ANY: Required<Choice> = { ids: [], steps: [], topic: "", error: "", reason: "", trace: "" };

interface Chosen {
  choice: Choice;
  /** Every dead letter is meant, as nothing narrows the choice. */
  all?: boolean;
}

/** Replays and drops dead letters, and says how it went. */
export function useLetters(onDone: () => void) {
  const cache = useQueryClient();
  function done() {
    onDone();
    void cache.invalidateQueries({ queryKey: ["letters"] });
    void cache.invalidateQueries({ queryKey: ["queues"] });
  }
  const replay = useMutation({
    mutationFn: ({ choice, all, edited }: Chosen & { edited?: { data: unknown } }) =>
      taken(api.POST("/dead-letters/replay", { body: { choice: { ...ANY, ...choice }, all: all ?? false, edited: edited ?? null, dry_run: false } })),
    onSuccess: ({ replayed, stay }) => {
      const [first] = stay ?? [];
      tell(`${replayed} replayed${stay?.length ? `, ${stay.length} stay: ${first?.why} ${first?.fix}` : ""}`);
      done();
    },
    onError: tellError,
  });
  const drop = useMutation({
    mutationFn: ({ choice, all }: Chosen) =>
      taken(api.POST("/dead-letters/drop", { body: { choice: { ...ANY, ...choice }, all: all ?? false } })),
    onSuccess: ({ dropped }) => {
      tell(`${dropped} dropped`);
      done();
    },
    onError: tellError,
  });
  return { replay, drop };
}
