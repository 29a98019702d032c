"""Streams from a handler: section 6.1."""

from __future__ import annotations

from typing import Any

from compat.rules import rule

from motia_celery.testing import StepTester, StreamClient


def marker(stream: str, group: str, id: str) -> dict[str, Any]:
    """What an item carries when a handler gets it."""
    place = {"streamName": stream, "groupId": group, "id": id}
    return {"__motia": {"type": "state-stream", **place}}


@rule("6.1", "`streams.<name>.set(group, id, data)` stores the item, and gives it with its `id`")
@rule("6.1", "Items carry `__motia: {type: 'state-stream', streamName, groupId, id}`")
async def test_set_gives_the_item_with_its_marker(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/todos", json={"id": "t1", "text": "a"})
    assert answer.json() == {"id": "t1", "text": "a", **marker("todos", "inbox", "t1")}


@rule("6.1", "`get(group, id)` gives the item with its marker, or nothing")
async def test_get_gives_the_item_or_nothing(app: StepTester) -> None:
    async with app:
        answer = (await app.client.get("/todo")).json()
    assert answer["found"] == {"id": "t1", "text": "a", **marker("todos", "inbox", "t1")}
    assert answer["nothing"] == [None, None]


@rule("6.1", "`delete(group, id)` gives the item that was there, with its marker, or nothing")
async def test_delete_gives_the_item_or_nothing(app: StepTester) -> None:
    async with app:
        answer = (await app.client.delete("/todo")).json()
    assert answer["deleted"] == {"id": "t1", "text": "a", **marker("todos", "inbox", "t1")}
    assert (answer["again"], answer["left"]) == (None, None)


@rule("6.1", "`getGroup(group)` gives a list of items with markers; Python has `get_group` too")
@rule("6.1", "A group is listed in the order in which its items were created")
async def test_a_group_of_a_stream_is_a_list(app: StepTester) -> None:
    async with app:
        answer = (await app.client.get("/todos")).json()
    items = [{"id": id, "text": id, **marker("todos", "inbox", id)} for id in ("c", "a", "b")]
    assert answer == {"snake": items, "camel": items, "empty": []}


@rule("6.1", "`_createdAt` (ms) in the data says when an item was created, and so its place")
async def test_createdat_orders_a_group(app: StepTester) -> None:
    notes = [{"id": "new", "_createdAt": 2000}, {"id": "old", "_createdAt": 1000}, {"id": "now"}]
    async with app:
        answer = await app.client.post("/notes", json=notes)
    assert answer.json() == ["old", "new", "now"]


@rule(
    "6.1",
    "An item gets the moment of its creation as `_createdAt`",
    different="an item has what was set and its `id`; the moment is kept beside it, so that it "
    "keeps its place in the group however often it is set again",
)
async def test_items_keep_what_was_set(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/note")
    assert answer.json() == ["__motia", "id", "text"]


@rule("6.1", "To set None (`null`), `0`, `false` or an empty text gives nothing, and does nothing")
async def test_setting_nothing_does_nothing(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/note")
    assert answer.json() == {"given": [None] * 4, "kept": "kept"}


@rule("6.1", "`set` tells those who follow of `create` for a new item, else of `update`")
@rule("6.1", "`delete` tells those who follow, with the item as it was")
async def test_set_tells_of_create_and_update(app: StepTester) -> None:
    async with app, app.join("todos", "inbox") as client:
        await app.emit("todo")
        told = [await client.next() for _ in range(5)]
    assert [(one.type, one.data) for one in told] == [
        ("sync", []),
        ("create", {"id": "t1", "text": "a"}),
        ("update", {"id": "t1", "text": "b"}),
        ("delete", {"id": "t1", "text": "b"}),
        ("create", {"id": "t1", "text": "c"}),
    ]


@rule(
    "6.1",
    "`delete` of what is not there gives nothing",
    better="and tells nobody; Motia tells of a `delete` without data, which its client fails at",
)
async def test_deleting_nothing_tells_nobody(app: StepTester) -> None:
    async with app, app.join("todos", "inbox") as client:
        await app.emit("todo.deleted")
        told = [await client.next() for _ in range(2)]
    assert [one.type for one in told] == ["sync", "create"]


@rule("6.1", "`send({groupId, id?}, {type, data})` reaches those who follow, and is not stored")
async def test_send_is_not_stored(app: StepTester) -> None:
    async with app, app.join("room", "lobby") as client:
        answer = await app.client.post("/typing", json={"user": "ann"})
        told = [await client.next() for _ in range(3)]
    assert answer.json() == []
    assert [(one.type, one.event, one.id, one.data) for one in told[1:]] == [
        ("event", "typing", None, {"user": "ann"}),
        ("event", "seen", "m1", 1),
    ]


@rule("6.1", "The marker is not part of the data: it is neither stored nor told to clients")
@rule("6.1", "The `id` of an item is that which it is set by, whatever the data says")
async def test_the_marker_is_not_stored(app: StepTester) -> None:
    async with app, app.join("todos", "inbox") as client:
        answer = await app.client.post("/finish")
        told = [await client.next() for _ in range(3)]
    assert answer.json() == {"id": "t9", "text": "a", **marker("todos", "archive", "t9")}
    assert told[-1].data == {"id": "t1", "text": "a", "done": True}


@rule("6.1", 'Python has `context.streams.<name>` and `context.streams["<name>"]`')
async def test_streams_have_two_spellings_in_python(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/task")
    assert answer.json() == ["water", "sunny"]


@rule(
    "6.1",
    "A stream that no file declares is an error of the handler",
    better="the error says which streams there are, and which one may be meant",
)
async def test_an_unknown_stream_is_an_error(app: StepTester) -> None:
    async with app:
        await app.emit("read")
        await app.settle()
        for step in ("Read", "Write"):
            run = await app.run(step)
            assert run.status == "failed" and run.error
            assert "'note'" in run.error.message and "'notes'" in str(run.error)


@rule("6.1", "The `schema` of a stream is not enforced")
async def test_the_schema_of_a_stream_is_not_enforced(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/note")
    assert answer.json()["text"] == 5


@rule("6.1", "TypeScript's streams have `get`, `set`, `delete`, `getGroup` and `send` alike")
async def test_streams_in_typescript(app: StepTester) -> None:
    item = {"id": "1", "text": "hi", **marker("chat", "lobby", "1")}
    async with app, app.join("chat", "lobby") as client:
        answer = (await app.client.post("/chat/lobby", json={"text": "hi"})).json()
        told = [await client.next() for _ in range(4)]
    assert answer.pop("group") == [item]
    nothing = dict.fromkeys(("missing", "nothing", "again"))
    assert answer == {"set": item, "got": item, "removed": item, **nothing}
    assert [(one.type, one.event) for one in told] == [
        ("sync", None),
        ("create", None),
        ("event", "typing"),
        ("delete", None),
    ]


async def all_answers(client: StreamClient) -> list[str]:
    """What an item's text was, until it is done."""
    await client.until(lambda items: bool(items and items[0]["done"]))
    return [one.data["text"] for one in client.messages]


@rule("6.1", "A response may be an item: its marker says what a client is to follow")
async def test_a_step_may_return_an_item(app: StepTester) -> None:
    async with app:
        place = (await app.client.post("/ask", json={"question": "how are you"})).json()["__motia"]
        async with app.join(place["streamName"], place["groupId"], place["id"]) as client:
            answers = await all_answers(client)
    assert place["type"] == "state-stream"
    assert answers[-1] == "HOW ARE YOU"


@rule("6.1", "Steps of every language share the streams, whichever declares them")
async def test_streams_share_a_name_across_languages(app: StepTester) -> None:
    async with app, app.join("counters", "all", "visits") as client:
        await app.emit("begin")
        counter = await client.until(lambda items: bool(items) and items[0]["count"] == 2)
    assert counter == [{"id": "visits", "count": 2}]
    assert [one.type for one in client.messages] == ["create", "update"]
