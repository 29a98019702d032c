import { useSyncExternalStore } from "react";

const EVERY_MS = 1000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, EVERY_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time, which moves on once a second for all who look. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => (timer ? now : (now = Math.max(now, Date.now() - (Date.now() % EVERY_MS)))));
}
