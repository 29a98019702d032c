import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { API } from "./client";
import { patchCache } from "./feed";
import { setFeedStatus } from "./feed-status";
import type { FeedMessage } from "./shapes";

const HANDFUL_MS = 120;
const listeners = new Set<(messages: readonly FeedMessage[]) => void>();

/** Follows the app's changes for as long as the page is open; the browser connects again by itself. */
export function useFeed(): void {
  const cache = useQueryClient();
  useEffect(() => {
    const source = new EventSource(`${API}/feed`);
    let waiting: FeedMessage[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;

    function flush() {
      timer = undefined;
      // An answer that is under way would put what was before in the place of what is told now.
      if (cache.isFetching()) return flushSoon();
      const messages = waiting;
      waiting = [];
      patchCache(cache, messages);
      for (const listener of listeners) listener(messages);
      if (cache.isFetching()) flushSoon();
      else if (source.readyState === EventSource.OPEN) setFeedStatus("live");
    }
    function flushSoon() {
      timer ??= setTimeout(flush, HANDFUL_MS);
    }
    source.onopen = flushSoon;
    source.onerror = () => setFeedStatus("connecting");
    source.onmessage = ({ data }: MessageEvent<string>) => {
      waiting.push(JSON.parse(data) as FeedMessage);
      flushSoon();
    };
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [cache]);
}

/** Calls `listen` with what the feed tells, for what no cache holds. */
export function useFeedMessages(listen: (messages: readonly FeedMessage[]) => void): void {
  useEffect(() => {
    listeners.add(listen);
    return () => void listeners.delete(listen);
  }, [listen]);
}
