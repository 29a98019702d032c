import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { CircleCheck, SearchX } from "lucide-react";
import { useMemo, useState } from "react";
import { lettersQuery } from "@/api/queries";
import { isFiltered, letterChoice, letterFilters } from "@/logic/letters";
import { count } from "@/logic/time";
import { Empty, Failed, Loading } from "@/ui/empty";
import { Page } from "@/ui/page";
import { useNow } from "@/ui/use-now";
import { VirtualTable } from "@/ui/virtual-table";
import { letterColumns } from "./letter-columns";
import { LetterPanel } from "./letter-panel";
import { LetterToolbar } from "./letter-toolbar";
import { ManyActions } from "./many-actions";

const route = getRouteApi("/dead-letters");

const RETRIES = `config = {
    "type": "event", "name": "charge", "subscribes": ["order.created"], "emits": [],
    "infrastructure": {"queue": {"maxRetries": 3}},
}`;

/** The events whose runs failed for the last time, to be replayed or dropped. */
export function DeadLetters() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const filters = useMemo(() => letterFilters(search), [search]);
  const { data, error, refetch } = useQuery(lettersQuery(filters));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const now = useNow();
  const letters = useMemo(() => [...(data?.letters ?? [])].sort((one, other) => (other.died_at ?? 0) - (one.died_at ?? 0)), [data]);
  const present = useMemo(() => new Set(letters.filter(({ id }) => chosen.has(id)).map(({ id }) => id)), [letters, chosen]);
  const open = (id?: string) => void navigate({ search: (known) => ({ ...known, id }), replace: true });
  const columns = useMemo(
    () =>
      letterColumns({
        now,
        chosen: present,
        onOpen: (id) => void navigate({ search: (known) => ({ ...known, id }), replace: true }),
        onChoose: (id) =>
          setChosen((known) => {
            const next = new Set(known);
            if (!next.delete(id)) next.add(id);
            return next;
          }),
      }),
    [now, present, navigate],
  );

  if (error && !data) return <Failed error={error} retry={refetch} />;
  if (!data) return <Loading />;
  const filtered = isFiltered(filters);
  return (
    <Page
      title="Dead letters"
      count={filtered ? `${count(data.matching)} of ${count(data.total)}` : count(data.total)}
      actions={
        data.matching > 0 && (
          <ManyActions
            chosen={present}
            matching={data.matching}
            isFiltered={filtered}
            choice={letterChoice(filters)}
            onDone={() => setChosen(new Set())}
          />
        )
      }
      toolbar={
        (data.total > 0 || filtered) && (
          <LetterToolbar filters={filters} onChange={(change) => void navigate({ search: (known) => ({ ...known, ...change }), replace: true })} />
        )
      }
    >
      <div className="flex min-h-0 flex-1">
        <div className="flex min-w-0 flex-1 flex-col">
          {letters.length ? (
            <VirtualTable label="Dead letters" columns={columns} rows={letters} rowId={(letter) => letter.id} selected={search.id} total={data.matching} />
          ) : filtered ? (
            <Empty icon={SearchX} title="No dead letter is like that">
              Take away a filter to see more.
            </Empty>
          ) : (
            <Empty icon={CircleCheck} title="Nothing failed for good" code={RETRIES}>
              An event comes here when its last attempt fails. How many there are is up to the Step:
            </Empty>
          )}
        </div>
        {search.id && <LetterPanel key={search.id} id={search.id} onClose={() => open()} />}
      </div>
    </Page>
  );
}
