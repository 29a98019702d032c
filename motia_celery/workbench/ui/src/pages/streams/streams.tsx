import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { clsx } from "clsx";
import { ArrowLeft, Plus, Radio } from "lucide-react";
import { useState } from "react";
import { streamGroupsQuery, streamsQuery } from "@/api/queries";
import type { StreamInfo } from "@/api/shapes";
import { Button, IconButton } from "@/ui/button";
import { Empty, Failed, Loading } from "@/ui/empty";
import { Select } from "@/ui/fields";
import { NameList } from "@/ui/name-list";
import { Page } from "@/ui/page";
import { AddItem } from "./add-item";
import { ItemPanel } from "./item-panel";
import { LiveItems } from "./live-items";

const route = getRouteApi("/streams");

const FIRST_STREAM = `config = {"name": "orders", "schema": {"type": "object"}, "baseConfig": {"storageType": "default"}}

# in a Step:
await context.streams["orders"].set("open", order["id"], order)`;

/** What clients follow live: streams, their groups and items. */
export function Streams() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data: streams, error, refetch } = useQuery(streamsQuery);
  if (error && !streams) return <Failed error={error} retry={refetch} />;
  if (!streams) return <Loading />;
  const stream = streams.find(({ name }) => name === search.stream) ?? streams[0];
  const change = (next: typeof search) => void navigate({ search: (known) => ({ ...known, ...next }), replace: true });
  if (!stream) {
    return (
      <Page title="Streams">
        <Empty icon={Radio} title="The project has no stream yet" code={FIRST_STREAM}>
          Save this as steps/orders_stream.py
        </Empty>
      </Page>
    );
  }
  return <OneStream key={stream.name} streams={streams} stream={stream} group={search.group} id={search.id} change={change} />;
}

function firstItem(stream: string): string {
  return `async def handler(data, context):
    await context.streams[${JSON.stringify(stream)}].set("open", data["id"], data)
    return {"status": 202, "body": {"id": data["id"]}}`;
}

interface OneStreamProps {
  streams: readonly StreamInfo[];
  stream: StreamInfo;
  group: string | undefined;
  id: string | undefined;
  change: (next: { stream?: string; group?: string; id?: string }) => void;
}

function OneStream({ streams, stream, group, id, change }: OneStreamProps) {
  const [adding, setAdding] = useState(false);
  const { data: groups, error, refetch } = useQuery(streamGroupsQuery(stream.name));
  return (
    <Page
      title="Streams"
      count={stream.file}
      actions={
        <>
          {group && <IconButton className="lg:hidden" icon={ArrowLeft} label="Back to the groups" onClick={() => change({ group: undefined, id: undefined })} />}
          <Select
            label="Stream"
            value={stream.name}
            options={streams.map(({ name }) => [name, name] as const)}
            onChange={(event) => change({ stream: event.target.value, group: undefined, id: undefined })}
          />
          <Button icon={Plus} onClick={() => setAdding(true)}>
            Add
          </Button>
        </>
      }
    >
      {error && !groups ? (
        <Failed error={error} retry={refetch} />
      ) : !groups ? (
        <Loading />
      ) : groups.total === 0 && !group ? (
        <Empty icon={Radio} title={`${stream.name} has no items yet`} code={firstItem(stream.name)}>
          A Step sets them, and every client that follows the group sees them at once:
        </Empty>
      ) : (
        <div className="flex min-h-0 flex-1">
          <div className={clsx("min-h-0 w-full flex-col border-line lg:flex lg:w-60 lg:shrink-0 lg:border-r", group ? "hidden" : "flex")}>
            <NameList
              label="Groups"
              names={groups.groups}
              chosen={group}
              onChoose={(name) => change({ stream: stream.name, group: name, id: undefined })}
              empty={<p className="p-2 text-soft">It has no groups.</p>}
            />
          </div>
          <div className={clsx("min-w-0 flex-1", group ? "flex" : "hidden lg:flex")}>
            {group ? (
              <LiveItems stream={stream.name} group={group} selected={id} onSelect={(item) => change({ stream: stream.name, group, id: item })} />
            ) : (
              <Empty icon={Radio} title="Choose a group" />
            )}
          </div>
          {group && id && <ItemPanel key={`${group} ${id}`} stream={stream.name} group={group} id={id} onClose={() => change({ id: undefined })} />}
        </div>
      )}
      {adding && (
        <AddItem
          stream={stream.name}
          group={group ?? ""}
          onClose={() => setAdding(false)}
          onAdded={(where) => {
            setAdding(false);
            change({ stream: stream.name, ...where });
          }}
        />
      )}
    </Page>
  );
}
