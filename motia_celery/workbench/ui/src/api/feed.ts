import type { QueryClient } from "@tanstack/react-query";
import { keepRuns } from "@/logic/activity";
import { type LogFilters, type RunFilters, showsLine, showsRun } from "@/logic/filters";
import { type Pages, withItem, withLines, withQueues, withRuns, withValue } from "@/logic/patch";
import { activityQuery, queuesQuery, stateGroupsQuery, stateValueQuery, streamItemsQuery } from "./queries";
import type { DeadLettersMessage, FeedMessage, LogLine, Run, RunMessage, Runs, StateItems, StateMessage, StreamMessage } from "./shapes";

/** Puts what the feed tells into the cache. Messages come in handfuls, so that a busy app costs one drawing each. */
export function patchCache(cache: QueryClient, messages: readonly FeedMessage[]): void {
  patchRuns(cache, messages.filter((each) => each.type === "run"));
  patchLogs(cache, messages.flatMap((each) => (each.type === "logs" ? each.lines : [])));
  for (const message of messages) {
    if (message.type === "queues") cache.setQueryData(queuesQuery.queryKey, (queues) => queues && withQueues(queues, message));
    else if (message.type === "dead_letters") patchLetters(cache, message);
    else if (message.type === "state") patchState(cache, message);
    else if (message.type === "stream") patchStream(cache, message);
    else if (message.type === "reset") void cache.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "source" });
  }
}

function patchRuns(cache: QueryClient, messages: readonly RunMessage[]): void {
  if (!messages.length) return;
  const latest = [...new Map(messages.map(({ run }) => [run.id, run])).values()];
  for (const query of cache.getQueryCache().findAll({ queryKey: ["runs"] })) {
    const filters = query.queryKey[1] as RunFilters;
    cache.setQueryData<Pages<Runs>>(query.queryKey, (list) => list && withRuns(list, latest, (run) => showsRun(filters, run)));
  }
  cache.setQueryData<Map<string, Run>>(activityQuery.queryKey, (runs) => runs && keepRuns(runs, latest));
  for (const trace of new Set(latest.map((run) => run.trace_id))) void cache.invalidateQueries({ queryKey: ["trace", trace] });
}

function patchLogs(cache: QueryClient, lines: readonly LogLine[]): void {
  if (!lines.length) return;
  for (const query of cache.getQueryCache().findAll({ queryKey: ["logs"] })) {
    const filters = query.queryKey[1] as LogFilters;
    const shown = lines.filter((line) => showsLine(filters, line));
    if (shown.length) cache.setQueryData<LogLine[]>(query.queryKey, (known) => known && withLines(known, shown));
  }
}

function patchLetters(cache: QueryClient, { count }: DeadLettersMessage): void {
  cache.setQueryData(queuesQuery.queryKey, (queues) => queues && { ...queues, dead_letters: count });
  void cache.invalidateQueries({ queryKey: ["letters"] });
}

function patchState(cache: QueryClient, message: StateMessage): void {
  const { group, key, change, item } = message;
  const groups = cache.getQueryData(stateGroupsQuery("").queryKey);
  if (change !== "set" || !groups?.groups.includes(group)) void cache.invalidateQueries({ queryKey: ["state", "groups"] });
  for (const query of cache.getQueryCache().findAll({ queryKey: ["state", "items"] })) {
    const [, , shown, text] = query.queryKey as [string, string, string, string];
    if (shown && shown !== group) continue;
    const next = shown && !text && query.state.data ? withValue(query.state.data as StateItems, message) : undefined;
    if (next) cache.setQueryData(query.queryKey, next);
    else void cache.invalidateQueries({ queryKey: query.queryKey });
  }
  if (key != null && item && !item.truncated) cache.setQueryData(stateValueQuery(group, key).queryKey, item);
  else void cache.invalidateQueries({ queryKey: ["state", "value", group, ...(key == null ? [] : [key])] });
}

function patchStream(cache: QueryClient, message: StreamMessage): void {
  const { queryKey } = streamItemsQuery(message.stream, message.group);
  const known = cache.getQueryData(queryKey);
  if (known) cache.setQueryData(queryKey, withItem(known, message));
  const { queryKey: groupsKey } = { queryKey: ["stream", message.stream, "groups"] };
  const groups = cache.getQueryData<{ groups: string[] }>(groupsKey);
  const mayChange = message.change === "delete" || (groups && !groups.groups.includes(message.group));
  if (mayChange) void cache.invalidateQueries({ queryKey: groupsKey });
}
