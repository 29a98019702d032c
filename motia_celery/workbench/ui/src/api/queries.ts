import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { type LetterFilters, letterQuery } from "@/logic/letters";
import { type LogFilters, logQuery, type RunFilters, runQuery } from "@/logic/filters";
import { api, taken } from "./client";
import type { LogLine, Runs } from "./shapes";

/** Everything that the page fetches, each under the key by which the feed finds it. */

const ACTIVITY_MS = 3_600_000;
const RUNS_A_PAGE = 500;
const LINES_AT_FIRST = 500;

export const appQuery = queryOptions({
  queryKey: ["app"],
  queryFn: () => taken(api.GET("/app")),
});

export const problemsQuery = queryOptions({
  queryKey: ["problems"],
  queryFn: () => taken(api.GET("/problems")),
});

export const graphQuery = queryOptions({
  queryKey: ["graph"],
  queryFn: () => taken(api.GET("/flows")),
});

/** What draws Steps: files beside them. */
export const componentsQuery = queryOptions({
  queryKey: ["components"],
  queryFn: () => taken(api.GET("/components")),
});

export const stepQuery = (name: string) =>
  queryOptions({
    queryKey: ["step", name],
    queryFn: () => taken(api.GET("/steps/{name}", { params: { path: { name } } })),
  });

export const routesQuery = queryOptions({
  queryKey: ["routes"],
  queryFn: () => taken(api.GET("/endpoints")),
});

export const topicsQuery = queryOptions({
  queryKey: ["topics"],
  queryFn: () => taken(api.GET("/topics")),
});

export const cronsQuery = queryOptions({
  queryKey: ["crons"],
  queryFn: () => taken(api.GET("/crons")),
});

export const runsQuery = (filters: RunFilters) =>
  infiniteQueryOptions({
    queryKey: ["runs", filters],
    queryFn: ({ pageParam }): Promise<Runs> =>
      taken(
        api.GET("/runs", {
          params: { query: { ...runQuery(filters, Date.now()), cursor: pageParam || undefined, limit: RUNS_A_PAGE } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next,
  });

/** The runs of the last hour, for the counts on the diagram. */
export const activityQuery = queryOptions({
  queryKey: ["activity"],
  queryFn: async () => {
    const after = Date.now() - ACTIVITY_MS;
    const { runs } = await taken(api.GET("/runs", { params: { query: { after, limit: 500 } } }));
    return new Map(runs.toReversed().map((run) => [run.id, run]));
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export const traceQuery = (trace: string) =>
  queryOptions({
    queryKey: ["trace", trace],
    queryFn: () => taken(api.GET("/traces/{trace_id}", { params: { path: { trace_id: trace } } })),
  });

export const logsQuery = (filters: LogFilters) =>
  queryOptions({
    queryKey: ["logs", filters],
    queryFn: async (): Promise<LogLine[]> => {
      const query = { ...logQuery(filters), limit: LINES_AT_FIRST };
      return (await taken(api.GET("/logs", { params: { query } }))).lines;
    },
  });

export const queuesQuery = queryOptions({
  queryKey: ["queues"],
  queryFn: () => taken(api.GET("/queues")),
});

export const workersQuery = queryOptions({
  queryKey: ["workers"],
  queryFn: () => taken(api.GET("/workers")),
});

export const schedulesQuery = queryOptions({
  queryKey: ["schedules"],
  queryFn: () => taken(api.GET("/schedules")),
});

export const lettersQuery = (filters: LetterFilters) =>
  queryOptions({
    queryKey: ["letters", filters],
    queryFn: () => taken(api.GET("/dead-letters", { params: { query: letterQuery(filters) } })),
  });

export const letterQueryById = (identity: string) =>
  queryOptions({
    queryKey: ["letter", identity],
    queryFn: () => taken(api.GET("/dead-letters/{identity}", { params: { path: { identity } } })),
  });

export const stateGroupsQuery = (text: string) =>
  queryOptions({
    queryKey: ["state", "groups", text],
    queryFn: () => taken(api.GET("/state/groups", { params: { query: { text, limit: 1000 } } })),
  });

export const stateItemsQuery = (group: string, text: string) =>
  queryOptions({
    queryKey: ["state", "items", group, text],
    queryFn: () =>
      group
        ? taken(api.GET("/state/items", { params: { query: { group, text, limit: 500 } } }))
        : taken(api.GET("/state/search", { params: { query: { text, limit: 500 } } })),
  });

export const stateValueQuery = (group: string, key: string) =>
  queryOptions({
    queryKey: ["state", "value", group, key],
    queryFn: () => taken(api.GET("/state/value", { params: { query: { group, key } } })),
  });

export const streamsQuery = queryOptions({
  queryKey: ["streams"],
  queryFn: () => taken(api.GET("/streams")),
});

export const streamGroupsQuery = (stream: string) =>
  queryOptions({
    queryKey: ["stream", stream, "groups"],
    queryFn: () => taken(api.GET("/streams/groups", { params: { query: { stream, limit: 1000 } } })),
  });

export const streamItemsQuery = (stream: string, group: string) =>
  queryOptions({
    queryKey: ["stream", stream, "items", group],
    queryFn: () => taken(api.GET("/streams/items", { params: { query: { stream, group, limit: 500 } } })),
  });

export const streamItemQuery = (stream: string, group: string, id: string) =>
  queryOptions({
    queryKey: ["stream", stream, "item", group, id],
    queryFn: () => taken(api.GET("/streams/item", { params: { query: { stream, group, id } } })),
  });
