import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { clsx } from "clsx";
import { ArrowLeft, Database, Plus } from "lucide-react";
import { useState } from "react";
import { stateGroupsQuery } from "@/api/queries";
import { count } from "@/logic/time";
import { Button, IconButton } from "@/ui/button";
import { Empty, Failed, Loading } from "@/ui/empty";
import { SearchField } from "@/ui/fields";
import { NameList } from "@/ui/name-list";
import { Page } from "@/ui/page";
import { AddValue } from "./add-value";
import { ItemList } from "./item-list";
import { ValuePanel } from "./value-panel";

const route = getRouteApi("/state");

const FIRST_VALUE = `async def handler(data, context):
    await context.state.set("orders", data["id"], data)
    order = await context.state.get("orders", data["id"])`;

/** What Steps keep, by group and key. */
export function State() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { group, key, text = "" } = search;
  const [adding, setAdding] = useState(false);
  const { data, error, refetch } = useQuery(stateGroupsQuery(""));
  const change = (next: typeof search) => void navigate({ search: (known) => ({ ...known, ...next }), replace: true });

  if (error && !data) return <Failed error={error} retry={refetch} />;
  if (!data) return <Loading />;
  const shownGroups = search.groups ? data.groups.filter((name) => name.toLowerCase().includes(search.groups!.toLowerCase())) : data.groups;
  const hasChoice = group !== undefined || text !== "";
  return (
    <Page
      title="State"
      count={`${count(data.total)} ${data.total === 1 ? "group" : "groups"}`}
      actions={
        <>
          {group && <IconButton className="lg:hidden" icon={ArrowLeft} label="Back to the groups" onClick={() => change({ group: undefined, key: undefined })} />}
          <Button icon={Plus} onClick={() => setAdding(true)}>
            Add
          </Button>
        </>
      }
      toolbar={
        (data.total > 0 || text) && (
          <SearchField
            label={group ? `Search in ${group}` : "Search all keys and values"}
            value={text}
            onChange={(next) => change({ text: next || undefined, key: undefined })}
          />
        )
      }
    >
      {data.total === 0 && !text ? (
        <Empty icon={Database} title="No state is kept yet" code={FIRST_VALUE} />
      ) : (
        <div className="flex min-h-0 flex-1">
          <div className={clsx("min-h-0 w-full flex-col border-line lg:flex lg:w-60 lg:shrink-0 lg:border-r", hasChoice ? "hidden" : "flex")}>
            {data.total > 12 && (
              <div className="flex border-b border-line p-2">
                <SearchField label="Search groups" value={search.groups ?? ""} onChange={(next) => change({ groups: next || undefined })} className="sm:max-w-none" />
              </div>
            )}
            <NameList
              label="Groups"
              names={shownGroups}
              chosen={group}
              onChoose={(name) => change({ group: name, key: undefined })}
              empty={<p className="p-2 text-soft">No group is called that.</p>}
            />
          </div>
          <div className={clsx("min-w-0 flex-1", hasChoice ? "flex" : "hidden lg:flex")}>
            {hasChoice ? (
              <ItemList
                group={group ?? ""}
                text={text}
                selected={key}
                onSelect={(item) => change({ group: item.group, key: item.key })}
                onCleared={() => change({ group: undefined, key: undefined })}
              />
            ) : (
              <Empty icon={Database} title="Choose a group" />
            )}
          </div>
          {group !== undefined && key !== undefined && (
            <ValuePanel key={`${group} ${key}`} group={group} itemKey={key} onClose={() => change({ key: undefined })} />
          )}
        </div>
      )}
      {adding && (
        <AddValue
          group={group ?? ""}
          onClose={() => setAdding(false)}
          onAdded={(item) => {
            setAdding(false);
            change({ group: item.group, key: item.key, text: undefined });
          }}
        />
      )}
    </Page>
  );
}
