import { useState } from "react";
import { readRecent, type Recent, withRecent } from "@/logic/recent";

const PREFIX = "workbench-recent ";

/** What was sent lately to a target; it is kept in this browser. */
export function useRecent(target: string): { list: Recent[]; add: (outcome: string, input: unknown) => void } {
  const key = PREFIX + target;
  const [list, setList] = useState<Recent[]>(() => readRecent(stored(key)));
  function add(outcome: string, input: unknown) {
    const next = withRecent(list, { at: Date.now(), outcome, input });
    setList(next);
    try {
      localStorage.setItem(key, JSON.stringify(next));
    } catch {
      // Storage may be full or forbidden; the list lasts until the page is left.
    }
  }
  return { list, add };
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
