import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Activity, SearchX } from "lucide-react";
import { useCallback, useMemo } from "react";
import { appQuery, graphQuery, runsQuery } from "@/api/queries";
import { takesBody } from "@/logic/curl";
import { runFilters } from "@/logic/filters";
import { count } from "@/logic/time";
import { Empty, Failed, Loading } from "@/ui/empty";
import { Page } from "@/ui/page";
import { useNow } from "@/ui/use-now";
import { VirtualTable } from "@/ui/virtual-table";
import { runColumns } from "./run-columns";
import { RunToolbar } from "./run-toolbar";

const route = getRouteApi("/runs");

/** What starts a run: the app's first route, or any where it has none. */
function firstRun(route = "POST /orders"): string {
  const [method = "", path = ""] = route.split(" ");
  const body = takesBody(method) ? ` \\\n  -H 'Content-Type: application/json' \\\n  --data-raw '{"item": "tea"}'` : "";
  return `curl -X ${method} '${location.origin}${path}'${body}`;
}

/** What ran, runs and failed; newest first, live. */
export function Runs() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const filters = useMemo(() => runFilters(search), [search]);
  const { data, error, refetch, hasNextPage, isFetching, fetchNextPage } = useInfiniteQuery(runsQuery(filters));
  const { data: app } = useQuery(appQuery);
  const { data: graph } = useQuery(graphQuery);
  const now = useNow();
  const columns = useMemo(() => runColumns(now), [now]);
  const runs = useMemo(() => data?.pages.flatMap((page) => page.runs) ?? [], [data]);
  // Not while anything is fetched: one would call off the other, and nobody would ask again.
  const more = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);

  const total = data?.pages[0]?.total ?? undefined;
  const isFiltered = Object.values(filters).some(Boolean);
  return (
    <Page
      title="Runs"
      count={data && (total === undefined ? `${count(runs.length)}${hasNextPage ? "+" : ""}` : count(total))}
      toolbar={
        <RunToolbar
          filters={filters}
          onChange={(change) => void navigate({ search: (known) => ({ ...known, ...change }), replace: true })}
        />
      }
    >
      {error && !data ? (
        <Failed error={error} retry={refetch} />
      ) : !data ? (
        <Loading />
      ) : runs.length === 0 ? (
        <NoRuns isFiltered={isFiltered} isKept={app?.has_records ?? true} route={graph?.nodes.flatMap(({ routes }) => routes)[0]} />
      ) : (
        <VirtualTable label="Runs" columns={columns} rows={runs} rowId={(run) => run.id} onEnd={more} total={total} />
      )}
    </Page>
  );
}

function NoRuns({ isFiltered, isKept, route }: { isFiltered: boolean; isKept: boolean; route: string | undefined }) {
  if (isFiltered) return <Empty icon={SearchX} title="No run is like that">Take away a filter to see more.</Empty>;
  if (!isKept) return <Empty icon={Activity} title="This app keeps no record of its runs" />;
  return (
    <Empty icon={Activity} title="Nothing has run yet" code={firstRun(route)}>
      Call a route, or start something from Try:
    </Empty>
  );
}
