import { describe, expect, it } from "vitest";
import type { LogLine, Queue, Run, Runs, StateItem, StateItems, StateMessage, StreamItems, StreamMessage } from "@/api/shapes";
import { countByStep, keepRuns } from "./activity";
import { logFilters, runFilters, runQuery, showsLine, showsRun } from "./filters";
import { LINES_KEPT, type Pages, withItem, withLines, withQueues, withRuns, withValue } from "./patch";

function run(id: string, more: Partial<Run> = {}): Run {
  return {
    id, step: "charge", flows: ["orders"], trigger: "event", status: "queued", topic: null, trace_id: "abc", parent_id: null,
    attempt: 1, max_attempts: 1, queued_at: 10, started_at: null, ended_at: null, wait_ms: null, duration_ms: null, error: null, ...more,
  };
}

function list(...runs: Run[]): Pages<Runs> {
  return { pages: [{ runs, next: null, total: runs.length }], pageParams: [] };
}

function line(id: string, more: Partial<LogLine> = {}): LogLine {
  return { id, at: 1, level: "info", message: "paid", step: "charge", flows: [], run_id: null, trace_id: "abc", fields: {}, ...more };
}

const all = () => true;
const ids = (pages: Pages<Runs>) => pages.pages.flatMap((page) => page.runs.map((each) => each.id));

describe("withRuns", () => {
  it("puts a new run first, and counts it", () => {
    const next = withRuns(list(run("a")), [run("b", { queued_at: 20 })], all);
    expect(ids(next)).toEqual(["b", "a"]);
    expect(next.pages[0]!.total).toBe(2);
  });

  it("changes a run where it stands", () => {
    const next = withRuns(list(run("a"), run("b")), [run("b", { status: "completed" })], all);
    expect(next.pages[0]!.runs[1]!.status).toBe("completed");
    expect(next.pages[0]!.total).toBe(2);
  });

  it("takes a run from the list that it does not fit any more", () => {
    const queued = (each: Run) => each.status === "queued";
    const next = withRuns(list(run("a")), [run("a", { status: "running" })], queued);
    expect(ids(next)).toEqual([]);
    expect(next.pages[0]!.total).toBe(0);
  });

  it("leaves a run that is older than the loaded pages for the page that holds it", () => {
    const pages: Pages<Runs> = { pages: [{ runs: [run("a", { queued_at: 50 })], next: "more", total: 9 }], pageParams: [] };
    expect(ids(withRuns(pages, [run("old", { queued_at: 5 })], all))).toEqual(["a"]);
  });
});

describe("withLines", () => {
  it("puts newer lines before, each once", () => {
    expect(withLines([line("1")], [line("1"), line("2"), line("3")]).map((each) => each.id)).toEqual(["3", "2", "1"]);
  });

  it("keeps no more than fit", () => {
    const many = Array.from({ length: LINES_KEPT }, (_, at) => line(`old${at}`));
    const next = withLines(many, [line("new")]);
    expect(next).toHaveLength(LINES_KEPT);
    expect(next[0]!.id).toBe("new");
  });
});

describe("withQueues", () => {
  const queue = (name: string, depth: number): Queue => ({
    name, step: name, type: "standard", topics: [], exists: true, depth, consumers: 1, oldest_ms: null, oldest_is_bound: false, paused: false,
  });

  it("changes those that the message names, and adds new ones", () => {
    const next = withQueues({ at: 1, queues: [queue("a", 1), queue("b", 2)], dead_letters: 0 }, { type: "queues", at: 2, queues: [queue("b", 7), queue("c", 1)] });
    expect(next.queues.map((each) => [each.name, each.depth])).toEqual([["a", 1], ["b", 7], ["c", 1]]);
    expect(next.at).toBe(2);
  });
});

describe("withItem", () => {
  const items: StreamItems = { items: [{ id: "1", data: { n: 1 }, size_bytes: 7, truncated: false }], total: 1, version: 5 };
  const message = (more: Partial<StreamMessage>): StreamMessage => ({
    type: "stream", stream: "s", group: "g", id: "1", change: "update", version: 6, data: { n: 2 }, truncated: false, ...more,
  });

  it("creates, updates and deletes", () => {
    expect(withItem(items, message({ change: "create", id: "2" })).items.map((each) => each.id)).toEqual(["1", "2"]);
    expect(withItem(items, message({})).items[0]!.data).toEqual({ n: 2 });
    expect(withItem(items, message({ change: "delete" }))).toEqual({ items: [], total: 0, version: 6 });
  });

  it("passes over changes that the list has already, and events", () => {
    expect(withItem(items, message({ version: 5 }))).toBe(items);
    expect(withItem(items, message({ change: "event", id: null }))).toBe(items);
  });
});

describe("withValue", () => {
  const item = (key: string, value: unknown): StateItem => ({ group: "g", key, type: "number", value, truncated: false, size_bytes: 1 });
  const list: StateItems = { items: [item("a", 1), item("c", 3)], total: 2, partial: false };
  const message = (more: Partial<StateMessage>): StateMessage => ({ type: "state", group: "g", key: "b", change: "set", ...more });
  const keys = (items: StateItems | undefined) => items?.items.map((each) => [each.key, each.value]);

  it("sets, adds in its place, and deletes", () => {
    expect(keys(withValue(list, message({ key: "c", item: item("c", 4) })))).toEqual([["a", 1], ["c", 4]]);
    const added = withValue(list, message({ item: item("b", 2) }));
    expect([keys(added), added?.total]).toEqual([[["a", 1], ["b", 2], ["c", 3]], 3]);
    expect(keys(withValue(list, message({ key: "d", item: item("d", 4) })))?.at(-1)).toEqual(["d", 4]);
    expect(withValue(list, message({ key: "a", change: "delete" }))).toMatchObject({ total: 1 });
    expect(withValue(list, message({ change: "delete" }))).toBe(list);
    expect(withValue(list, message({ key: null, change: "clear" }))).toMatchObject({ items: [], total: 0 });
  });

  it("fetches what it can not know", () => {
    expect(withValue(list, message({ key: null, change: "delete" }))).toBeUndefined();
    expect(withValue(list, message({}))).toBeUndefined();
    expect(withValue({ ...list, total: 900 }, message({ item: item("b", 2) }))).toBeUndefined();
    expect(keys(withValue({ ...list, total: 900 }, message({ key: "a", item: item("a", 7) })))).toEqual([["a", 7], ["c", 3]]);
  });
});

describe("filters", () => {
  it("drop what the URL can not mean", () => {
    expect(runFilters({ status: "odd", since: "9y", step: "a" })).toMatchObject({ status: "", since: "", step: "a" });
  });

  it("ask the API for the same that they show", () => {
    const filters = runFilters({ step: "charge", status: "failed", text: "CARD", since: "1h" });
    expect(runQuery(filters, 3_600_001)).toMatchObject({ step: ["charge"], status: ["failed"], text: "CARD", after: 1 });
    const failed = run("a", { status: "failed", error: { type: "E", message: "card refused", where: "", traceback: "" } });
    expect(showsRun(filters, failed)).toBe(true);
    expect(showsRun(filters, { ...failed, step: "other" })).toBe(false);
    expect(showsRun(filters, run("b"))).toBe(false);
  });

  it("take a level and those above it", () => {
    const filters = logFilters({ level: "warn" });
    expect(showsLine(filters, line("1", { level: "error" }))).toBe(true);
    expect(showsLine(filters, line("1", { level: "info" }))).toBe(false);
  });
});

describe("activity", () => {
  it("counts a run once, as it is now", () => {
    const runs = keepRuns(keepRuns(new Map(), [run("a", { status: "running" })]), [run("a", { status: "failed", ended_at: 9 })]);
    expect(countByStep(runs.values()).get("charge")).toEqual({ running: 0, completed: 0, failed: 1, changedAt: 9 });
  });
});
