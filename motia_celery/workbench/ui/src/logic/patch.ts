import type { Letters, LogLine, Queues, QueuesMessage, Run, Runs, StateItems, StateMessage, StreamItem, StreamItems, StreamMessage } from "@/api/shapes";

/** How the feed's messages change what is shown; every function gives a new value. */

/** So many log lines are kept at once. */
export const LINES_KEPT = 10_000;

/** Pages of a list that goes on, newest first. */
export interface Pages<Page> {
  pages: Page[];
  pageParams: unknown[];
}

/** A list of runs after some of them changed; `shows` is what the list's filters say. */
export function withRuns(list: Pages<Runs>, changed: readonly Run[], shows: (run: Run) => boolean): Pages<Runs> {
  const latest = new Map(changed.map((run) => [run.id, run]));
  let dropped = 0;
  const pages = list.pages.map((page) => {
    if (!page.runs.some((run) => latest.has(run.id))) return page;
    const runs: Run[] = [];
    for (const run of page.runs) {
      const next = latest.get(run.id);
      latest.delete(run.id);
      if (!next) runs.push(run);
      else if (shows(next)) runs.push(next);
      else dropped += 1;
    }
    return { ...page, runs };
  });
  const added = [...latest.values()].filter(shows).filter((run) => isWithin(list, run)).reverse();
  const [first, ...rest] = pages;
  if (!first) return list;
  const total = typeof first.total === "number" ? first.total + added.length - dropped : first.total;
  const runs = added.length ? sorted([...added, ...first.runs]) : first.runs;
  return { ...list, pages: [{ ...first, runs, total }, ...rest] };
}

/** Whether a run that is not on the list is newer than where the list ends for now. */
function isWithin(list: Pages<Runs>, run: Run): boolean {
  const last = list.pages.at(-1);
  const oldest = last?.runs.at(-1);
  return !last?.next || !oldest || beginning(run) >= beginning(oldest);
}

/** When a run came to be. */
export function beginning(run: Run): number {
  return run.queued_at ?? run.started_at ?? 0;
}

function sorted(runs: Run[]): Run[] {
  return runs.sort((one, other) => beginning(other) - beginning(one));
}

/** Lines, newest first, with newer ones before them; what is too old falls off the end. */
export function withLines(lines: readonly LogLine[], newer: readonly LogLine[]): LogLine[] {
  const known = new Set(lines.slice(0, 2 * newer.length + 200).map((line) => line.id));
  const added = newer.filter((line) => !known.has(line.id)).reverse();
  return [...added, ...lines].slice(0, LINES_KEPT);
}

/** The queues after some of them changed. */
export function withQueues(queues: Queues, message: QueuesMessage): Queues {
  const changed = new Map(message.queues.map((queue) => [queue.name, queue]));
  const kept = queues.queues.map((queue) => changed.get(queue.name) ?? queue);
  const known = new Set(queues.queues.map((queue) => queue.name));
  const added = message.queues.filter((queue) => !known.has(queue.name));
  return { ...queues, at: message.at, queues: [...kept, ...added] };
}

/** A group's items after one of them changed; changes that are older than the list are in it. */
export function withItem(list: StreamItems, message: StreamMessage): StreamItems {
  if (message.version <= list.version || message.change === "event" || message.id === null) return list;
  const rest = list.items.filter((item) => item.id !== message.id);
  const isNew = rest.length === list.items.length;
  if (message.change === "delete") {
    return { items: rest, total: list.total - (isNew ? 0 : 1), version: message.version };
  }
  const next = itemOf(message, message.id);
  const items = isNew ? [...list.items, next] : list.items.map((item) => (item.id === next.id ? next : item));
  return { items, total: list.total + (isNew ? 1 : 0), version: message.version };
}

function itemOf(message: StreamMessage, id: string): StreamItem {
  const data = (message.data ?? {}) as StreamItem["data"];
  return { id, data, size_bytes: JSON.stringify(data).length, truncated: message.truncated };
}

/** A group's values after one of them changed; undefined where they must be fetched. */
export function withValue(list: StateItems, { key, change, item }: StateMessage): StateItems | undefined {
  if (change === "clear") return { ...list, items: [], total: 0 };
  if (key == null || (change === "set" && !item)) return undefined;
  const at = list.items.findIndex((each) => each.key === key);
  if (change === "delete") {
    return at < 0 ? list : { ...list, items: list.items.toSpliced(at, 1), total: list.total - 1 };
  }
  if (!item) return undefined;
  if (at >= 0) return { ...list, items: list.items.with(at, item) };
  // Of a group with more values than are shown, nobody knows here whether it is a new one.
  if (list.total > list.items.length) return undefined;
  const after = list.items.findIndex((each) => each.key > key);
  return { ...list, items: list.items.toSpliced(after < 0 ? list.items.length : after, 0, item), total: list.total + 1 };
}

/** A list of dead letters without those that are gone. */
export function withoutLetters(letters: Letters, ids: ReadonlySet<string>): Letters {
  const kept = letters.letters.filter((letter) => !ids.has(letter.id));
  const gone = letters.letters.length - kept.length;
  return { ...letters, letters: kept, matching: letters.matching - gone, total: letters.total - gone };
}
