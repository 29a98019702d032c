import type { Level, LogLine, Run, RunStatus } from "@/api/shapes";
import type { Search } from "./url";

/** Which runs are shown; empty means all. */
export interface RunFilters {
  step: string;
  flow: string;
  status: RunStatus | "";
  trace: string;
  text: string;
  since: string;
}

const STATUSES: readonly RunStatus[] = ["queued", "running", "retrying", "completed", "failed", "cancelled"];
const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/** The spans of time to choose from, in milliseconds. */
export const SPANS: Readonly<Record<string, number>> = {
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 7 * 86_400_000,
};

export function runFilters(search: Search): RunFilters {
  const status = STATUSES.find((each) => each === search["status"]) ?? "";
  const since = search["since"] && search["since"] in SPANS ? search["since"] : "";
  return {
    step: search["step"] ?? "",
    flow: search["flow"] ?? "",
    status,
    trace: search["trace"] ?? "",
    text: search["text"] ?? "",
    since,
  };
}

/** The filters as the API takes them. */
export function runQuery(filters: RunFilters, now: number) {
  const span = SPANS[filters.since];
  return {
    step: filters.step ? [filters.step] : undefined,
    flow: filters.flow ? [filters.flow] : undefined,
    status: filters.status ? [filters.status] : undefined,
    trace: filters.trace || undefined,
    text: filters.text || undefined,
    after: span ? now - span : undefined,
  };
}

/** Whether a run belongs on a list with these filters. */
export function showsRun(filters: RunFilters, run: Run): boolean {
  const error = run.error ? `${run.error.type}: ${run.error.message}` : "";
  return (
    (!filters.step || run.step === filters.step) &&
    (!filters.flow || run.flows.includes(filters.flow)) &&
    (!filters.status || run.status === filters.status) &&
    run.trace_id.startsWith(filters.trace) &&
    error.toLowerCase().includes(filters.text.toLowerCase())
  );
}

/** Which log lines are shown. */
export interface LogFilters {
  level: Level | "";
  step: string;
  flow: string;
  run: string;
  trace: string;
  text: string;
}

export function logFilters(search: Search): LogFilters {
  return {
    level: LEVELS.find((each) => each === search["level"]) ?? "",
    step: search["step"] ?? "",
    flow: search["flow"] ?? "",
    run: search["run"] ?? "",
    trace: search["trace"] ?? "",
    text: search["text"] ?? "",
  };
}

/** A level and those above it. */
export function levelsFrom(level: Level | ""): Level[] {
  return level ? LEVELS.slice(LEVELS.indexOf(level)) : [...LEVELS];
}

/** The filters as the API takes them. */
export function logQuery(filters: LogFilters) {
  return {
    level: filters.level ? levelsFrom(filters.level) : undefined,
    step: filters.step ? [filters.step] : undefined,
    flow: filters.flow ? [filters.flow] : undefined,
    run: filters.run || undefined,
    trace: filters.trace || undefined,
    text: filters.text || undefined,
  };
}

/** Whether a line belongs on a list with these filters. */
export function showsLine(filters: LogFilters, line: LogLine): boolean {
  return (
    levelsFrom(filters.level).includes(line.level) &&
    (!filters.step || line.step === filters.step) &&
    (!filters.flow || line.flows.includes(filters.flow)) &&
    (!filters.run || line.run_id === filters.run) &&
    (line.trace_id ?? "").startsWith(filters.trace) &&
    (!filters.text || line.message.toLowerCase().includes(filters.text.toLowerCase()))
  );
}
