"""The protocol of the streams' sockets, and what Motia's clients need of it: 6.2 and 6.3."""

from __future__ import annotations

import asyncio

from compat.rules import rule
from compat.wire import Wire, events

from motia_celery.testing import StepTester


async def say(app: StepTester, place: str, text: str = "hi") -> None:
    """A handler sets an item of the chat."""
    assert (await app.client.put(f"/rooms/{place}", json={"text": text})).status_code == 200


async def send(app: StepTester, room: str, id: str | None = None) -> None:
    """A handler sends an event to a room, or to an item in it."""
    given = {} if id is None else {"id": id}
    assert (await app.client.post(f"/rooms/{room}/typing", json=given)).status_code == 204


@rule("6.2", "A WebSocket is accepted on the host and port of HTTP, on every path")
async def test_a_socket_is_accepted_on_every_path(app: StepTester) -> None:
    async with app:
        await say(app, "lobby/m1")
        for url in ("/", "/anything/else?a=b", "/rooms/lobby/m1"):
            async with Wire(app, url) as wire:
                wire.join("chat", "lobby", "m1")
                assert (await wire.next())["event"]["type"] == "sync"


@rule("6.2", "A join without `id` is of a group: its `sync` has all items of it, `[]` for none")
async def test_a_group_is_joined(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("chat", "lobby", name="uuid-1")
        empty = await wire.next()
        for id in ("m2", "m1"):
            await say(app, f"lobby/{id}")
        wire.join("chat", "lobby", name="uuid-2")
        told = await wire.take(3)
    assert {key: value for key, value in empty.items() if key != "timestamp"} == {
        "streamName": "chat",
        "groupId": "lobby",
        "event": {"type": "sync", "data": []},
    }
    items = [{"id": "m2", "text": "hi"}, {"id": "m1", "text": "hi"}]
    assert told[-1]["event"] == {"type": "sync", "data": items}


@rule("6.2", "A join with `id` is of one item: its `sync` has the item, and names it")
async def test_an_item_is_joined(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        await say(app, "lobby/m1")
        wire.join("chat", "lobby", "m1")
        told = await wire.next()
    assert told.pop("timestamp") > 0
    event = {"type": "sync", "data": {"id": "m1", "text": "hi"}}
    assert told == {"streamName": "chat", "groupId": "lobby", "id": "m1", "event": event}


@rule("6.2", "A join of an item that is not there has no `sync`; its creation is told")
async def test_what_is_not_there_has_no_sync(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("chat", "lobby", "m1")
        assert await wire.until_answered() == []
        await say(app, "lobby/m1")
        assert (await wire.next())["event"]["type"] == "create"


@rule("6.2", "A message is `{timestamp, streamName, groupId, id?, event}`, as JSON in a text frame")
@rule("6.2", "`timestamp` is a number of milliseconds")
async def test_messages_have_an_envelope(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("chat", "lobby")
        await wire.next()
        await say(app, "lobby/m1")
        told = await wire.next()
    assert 1_700_000_000_000 < told.pop("timestamp") < 10_000_000_000_000
    assert told == {
        "streamName": "chat",
        "groupId": "lobby",
        "id": "m1",
        "event": {"type": "create", "data": {"id": "m1", "text": "hi"}},
    }


@rule(
    "6.2", "`create`, `update` and `delete` carry `id`, and go to the group's and item's followers"
)
async def test_changes_reach_group_and_item(app: StepTester) -> None:
    async with app, Wire(app) as group, Wire(app) as item:
        group.join("chat", "lobby")
        item.join("chat", "lobby", "m1")
        await group.next()
        await item.until_answered()
        await say(app, "lobby/m1", "a")
        await say(app, "lobby/m1", "b")
        await app.client.delete("/rooms/lobby/m1")
        for wire in (group, item):
            told = await wire.take(3)
            assert {one["id"] for one in told} == {"m1"}
            a, b = ({"id": "m1", "text": text} for text in "ab")
            assert events(told) == [("create", a), ("update", b), ("delete", b)]


@rule("6.2", "`send` with an `id` reaches those who follow the item, and those of its group")
async def test_an_event_reaches_group_and_item(app: StepTester) -> None:
    async with app, Wire(app) as group, Wire(app) as item, Wire(app) as other:
        group.join("chat", "lobby")
        await group.next()
        for wire, id in ((item, "m1"), (other, "m2")):
            await say(app, f"lobby/{id}")
            wire.join("chat", "lobby", id)
            await wire.next()
        await group.until_end("chat", "lobby")
        await send(app, "lobby", "m1")
        await say(app, "lobby/m2", "end")
        for wire in (group, item):
            told = await wire.next()
            typing = {"type": "typing", "data": {"user": "ann"}}
            assert (told["id"], told["event"]) == ("m1", {"type": "event", "event": typing})
        assert (await other.next())["event"]["type"] == "update"


@rule("6.2", "`send` without an `id` reaches only those who follow the group")
async def test_an_event_of_a_group_reaches_its_group(app: StepTester) -> None:
    async with app, Wire(app) as group, Wire(app) as item:
        await say(app, "lobby/m1")
        for wire, id in ((group, None), (item, "m1")):
            wire.join("chat", "lobby", id)
            await wire.next()
        await send(app, "lobby")
        await say(app, "lobby/m1", "end")
        (told,) = (await group.take(2))[:1]
        assert "id" not in told
        assert events([told]) == [("typing", {"user": "ann"})]
        assert (await item.next())["event"]["type"] == "update"


@rule(
    "6.2",
    "One socket may follow a group and an item of it",
    better="it is told each change and event once; Motia tells it once for each subscription",
)
@rule("6.3", "What a socket is told with an `id` serves both its group's and its item's listeners")
async def test_a_socket_hears_each_change_once(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        await say(app, "lobby/m1")
        wire.join("chat", "lobby", name="1")
        wire.join("chat", "lobby", "m1", name="2")
        await wire.take(2)
        await say(app, "lobby/m1", "b")
        await send(app, "lobby", "m1")
        told = await wire.until_end("chat", "lobby")
    assert [kind for kind, _ in events(told)] == ["update", "typing"]


@rule("6.2", "Who follows a group is told of that group alone")
async def test_groups_are_kept_apart(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("chat", "lobby")
        await wire.next()
        for room in ("lobby-2", "lob", "lobby"):
            await say(app, f"{room}/m1", room)
        told = await wire.until_end("chat", "lobby")
    assert events(told) == [("create", {"id": "m1", "text": "lobby"})]


@rule(
    "6.2",
    "Who follows an item is told of it",
    better="and of no other; Motia also sends what has the same id in other groups",
)
async def test_items_of_other_groups_are_not_told(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("chat", "lobby", "m1")
        await wire.until_answered()
        await say(app, "kitchen/m1", "other")
        await say(app, "lobby/m1", "own")
        assert events([await wire.next()]) == [("create", {"id": "m1", "text": "own"})]


@rule("6.2", "A `leave` with the `subscriptionId` ends that subscription, and no other")
async def test_a_client_leaves(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("chat", "lobby", name="1")
        wire.join("chat", "kitchen", name="2")
        wire.join("chat", "kitchen", "m1", name="3")
        await wire.take(2)
        wire.leave("chat", "lobby", name="1")
        wire.leave("chat", "kitchen", "m1", name="3")
        assert await wire.until_answered() == []
        await say(app, "lobby/m1")
        await say(app, "kitchen/m1")
        told = await wire.until_end("chat", "kitchen")
    assert [one["groupId"] for one in told] == ["kitchen"]


@rule("6.2", "A `leave` without a `subscriptionId` does nothing")
async def test_a_leave_without_a_name_does_nothing(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("chat", "lobby")
        await wire.next()
        wire.leave("chat", "lobby", name=None)
        assert await wire.until_answered() == []
        await say(app, "lobby/m1")
        assert events(await wire.until_end("chat", "lobby"))[0][0] == "create"


@rule("6.2", "Other messages, such as `ping`, and what is no JSON, are ignored")
async def test_what_is_no_join_is_ignored(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        for message in ({"type": "ping", "timestamp": 1}, {"type": "join"}, [], "", "{", {}, "1"):
            wire.say(message)
        wire.join("chat", "lobby")
        assert (await wire.next())["event"] == {"type": "sync", "data": []}


@rule("6.2", "The messages of one socket are answered strictly in their order")
async def test_joins_are_answered_in_order(app: StepTester) -> None:
    rooms = [f"room-{number}" for number in range(20)]
    async with app, Wire(app) as wire:
        for room in rooms:
            wire.join("chat", room, name=room)
        assert [one["groupId"] for one in await wire.take(20)] == rooms


@rule(
    "6.2", "A join of an unknown stream is answered by `Stream … not found`, then `Access denied`"
)
@rule(
    "6.2", "A refusal is an `event` of type `error` with `{code, message}`; the socket stays open"
)
async def test_an_unknown_stream_is_refused(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("talk", "lobby", "m1")
        told = await wire.take(2)
        wire.join("chat", "lobby")
        assert (await wire.next())["event"]["type"] == "sync"
    for one, message in zip(told, ("Stream talk not found", "Access denied"), strict=True):
        assert one.pop("timestamp") > 0
        data = {"code": "STREAM_ACCESS_DENIED", "message": message}
        error = {"type": "event", "event": {"type": "error", "data": data}}
        assert one == {"streamName": "talk", "groupId": "lobby", "id": "m1", "event": error}


@rule(
    "6.2",
    "After the `sync`, changes are told",
    better="those that are made while a client joins as well, which Motia loses",
)
async def test_nothing_is_lost_while_a_client_joins(app: StepTester) -> None:
    async with app, Wire(app) as wire:

        async def fill() -> None:
            for number in range(30):
                await say(app, f"lobby/m{number}")

        filling = asyncio.create_task(fill())
        for number in range(15):
            wire.join("chat", "lobby", name="1")
            wire.leave("chat", "lobby", name="1") if number < 14 else None
            await asyncio.sleep(0)
        await filling
        told = await wire.until_end("chat", "lobby")
    last = max(index for index, one in enumerate(told) if one["event"]["type"] == "sync")
    seen = [item["id"] for item in told[last]["event"]["data"]]
    seen += [one["id"] for one in told[last + 1 :]]
    assert seen == [f"m{number}" for number in range(30)]


@rule(
    "6.3",
    "A client takes a message only if its `timestamp` is above the last one",
    better="the timestamps of a socket always rise; in Motia the second of two changes in one "
    "millisecond is lost",
)
async def test_timestamps_rise(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("chat", "lobby")
        wire.join("chat", "lobby", "m1", name="2")
        await wire.next()
        await wire.until_answered()
        await app.emit("count", {"to": 50})
        told = await wire.take(51)
    times = [one["timestamp"] for one in told]
    assert times == sorted(set(times))
    assert [data["text"] for _, data in events(told[:-1])] == [str(n) for n in range(50)]


@rule("6.3", "A client that comes back joins by the same `subscriptionId`, and gets a new `sync`")
@rule("6.2", "The end of a socket ends its subscriptions")
async def test_a_client_comes_back(app: StepTester) -> None:
    async with app:
        async with Wire(app) as gone:
            gone.join("chat", "lobby", name="uuid-1")
            before = (await gone.next())["timestamp"]
        await say(app, "lobby/m1", "meanwhile")
        async with Wire(app) as wire:
            wire.join("chat", "lobby", name="uuid-1")
            sync = await wire.next()
            await say(app, "lobby/m2")
            assert len(await wire.until_end("chat", "lobby")) == 1
        assert gone.is_quiet
    assert sync["timestamp"] > before
    assert sync["event"]["data"] == [{"id": "m1", "text": "meanwhile"}]


@rule("6.3", "Every item that a client is told has its `id`")
async def test_items_have_their_id(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        await say(app, "lobby/17")
        wire.join("chat", "lobby")
        (sync,) = await wire.take(1)
        await say(app, "lobby/18")
        told = await wire.until_end("chat", "lobby")
    assert [item["id"] for item in sync["event"]["data"]] == ["17"]
    assert [data["id"] for _, data in events(told)] == ["18"]


@rule("6.3", "A client is told `update` only of items that it knows, and `delete` with its data")
async def test_clients_hear_only_what_exists(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("chat", "lobby")
        known = {item["id"] for item in (await wire.next())["event"]["data"]}
        await app.emit("count", {"to": 3})
        await app.settle()
        for kind, data in events(await wire.until_end("chat", "lobby")):
            assert (data["id"] in known) is (kind != "create")
            known = known - {data["id"]} if kind == "delete" else known | {data["id"]}
    assert known == set()
