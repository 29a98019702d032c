import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Activity, SearchX } from "lucide-react";
import { useCallback, useMemo } from "react";
import { appQuery, runsQuery } from "@/api/queries";
import { runFilters } from "@/logic/filters";
import { count } from "@/logic/time";
import { Empty, Failed, Loading } from "@/ui/empty";
import { Page } from "@/ui/page";
import { useNow } from "@/ui/use-now";
import { VirtualTable } from "@/ui/virtual-table";
import { runColumns } from "./run-columns";
import { RunToolbar } from "./run-toolbar";

const route = getRouteApi("/runs");

const FIRST_RUN = `curl -X POST ${location.origin}/orders \\
  -H 'Content-Type: application/json' \\
  --data-raw '{"item": "tea"}'`;

/** What ran, runs and failed; newest first, live. */
export function Runs() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const filters = useMemo(() => runFilters(search), [search]);
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(runsQuery(filters));
  const { data: app } = useQuery(appQuery);
  const now = useNow();
  const columns = useMemo(() => runColumns(now), [now]);
  const runs = useMemo(() => data?.pages.flatMap((page) => page.runs) ?? [], [data]);
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

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
        <NoRuns isFiltered={isFiltered} isKept={app?.has_records ?? true} />
      ) : (
        <VirtualTable label="Runs" columns={columns} rows={runs} rowId={(run) => run.id} onEnd={more} total={total} />
      )}
    </Page>
  );
}

function NoRuns({ isFiltered, isKept }: { isFiltered: boolean; isKept: boolean }) {
  if (isFiltered) return <Empty icon={SearchX} title="No run is like that">Take away a filter to see more.</Empty>;
  if (!isKept) return <Empty icon={Activity} title="This app keeps no record of its runs" />;
  return (
    <Empty icon={Activity} title="Nothing has run yet" code={FIRST_RUN}>
      Call a route, or start something from Try:
    </Empty>
  );
}
