import { QueryClient } from "@tanstack/react-query";

/** What was fetched. The feed keeps it fresh, so nothing is fetched again by the clock or on focus. */
export const cache = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 30_000, retry: 1, refetchOnWindowFocus: false, refetchOnReconnect: true },
    mutations: { retry: 0 },
  },
});
