import type { Run } from "@/api/shapes";

/** How much each Step does, counted from its latest runs. */

export interface Activity {
  running: number;
  completed: number;
  failed: number;
  /** When its latest run changed, to let its node pulse. */
  changedAt: number;
}

export const IDLE: Activity = { running: 0, completed: 0, failed: 0, changedAt: 0 };

/** So many runs are counted at most. */
const RUNS_KEPT = 5000;

/** The latest runs by their ids, with some that changed; the oldest fall off. */
export function keepRuns(known: ReadonlyMap<string, Run>, changed: readonly Run[]): Map<string, Run> {
  const runs = new Map(known);
  for (const run of changed) {
    runs.delete(run.id);
    runs.set(run.id, run);
  }
  for (const id of runs.keys()) {
    if (runs.size <= RUNS_KEPT) break;
    runs.delete(id);
  }
  return runs;
}

/** The counts of each Step. */
export function countByStep(runs: Iterable<Run>): Map<string, Activity> {
  const counts = new Map<string, Activity>();
  for (const run of runs) {
    const before = counts.get(run.step) ?? IDLE;
    counts.set(run.step, {
      running: before.running + (run.status === "running" || run.status === "retrying" ? 1 : 0),
      completed: before.completed + (run.status === "completed" ? 1 : 0),
      failed: before.failed + (run.status === "failed" ? 1 : 0),
      changedAt: Math.max(before.changedAt, run.ended_at ?? run.started_at ?? 0),
    });
  }
  return counts;
}
