import type { Letter } from "@/api/shapes";
import type { Search } from "./url";

/** Which dead letters are shown; empty means all. */
export interface LetterFilters {
  step: string;
  reason: Letter["reason"] | "";
  error: string;
  topic: string;
  trace: string;
}

export const REASONS: readonly Letter["reason"][] = [
  "failed",
  "poison",
  "misfit",
  "time limit",
  "undecodable",
  "unknown task",
  "oversized",
  "expired",
  "overflow",
  "rejected",
  "unknown",
];

const LETTERS_SHOWN = 1000;

export function letterFilters(search: Search): LetterFilters {
  return {
    step: search["step"] ?? "",
    reason: REASONS.find((reason) => reason === search["reason"]) ?? "",
    error: search["error"] ?? "",
    topic: search["topic"] ?? "",
    trace: search["trace"] ?? "",
  };
}

/** The filters as the API takes them, for a list and for a choice alike. */
export function letterChoice(filters: LetterFilters) {
  const { step, ...rest } = filters;
  return { ...rest, steps: step ? [step] : [] };
}

export function letterQuery(filters: LetterFilters) {
  return { ...letterChoice(filters), limit: LETTERS_SHOWN };
}

/** Whether any filter is set. */
export function isFiltered(filters: LetterFilters): boolean {
  return Object.values(filters).some((value) => value !== "");
}
