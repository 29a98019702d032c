import { useSyncExternalStore } from "react";

export type FeedStatus = "connecting" | "live";

let status: FeedStatus = "connecting";
const listeners = new Set<() => void>();

/** Tells every part of the page how the feed is doing. */
export function setFeedStatus(next: FeedStatus): void {
  if (next === status) return;
  status = next;
  for (const listener of listeners) listener();
}

/** Whether changes arrive now. */
export function useFeedStatus(): FeedStatus {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => status,
  );
}
