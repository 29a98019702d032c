"""State and streams of Motia 1.0, and the Steps that their changes start: section 14.5."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

from compat.rules import rule
from compat.wire import TIMEOUT_SECONDS, Wire, events

from motia_celery.settings import load_settings
from motia_celery.testing import StepTester


@rule(
    "14.5",
    "`state_manager.get`, `set`, `delete`, `list` and `list_groups` keep values by scope and key",
)
@rule("14.5", "`set` gives `{old_value, new_value}`")
@rule("14.5", "`get` gives a value as it is stored, and None where there is none")
async def test_the_state_manager_keeps_values(app: StepTester) -> None:
    order = {"id": "1", "lines": [{"sku": "a", "count": 2}]}
    async with app:
        answer = await app.client.post("/state")
    assert answer.json() == {
        "set": {"old_value": None, "new_value": order},
        "again": {"old_value": order, "new_value": {"id": "1"}},
        "found": {"id": "2"},
        "plain": True,
        "listed": ["1", "2"],
        "groups": ["orders", "users"],
        "deleted": {"id": "2"},
        "missing": None,
    }


async def updated(app: StepTester, *ops: list[dict[str, Any]]) -> list[Any]:
    """What each list of operations has made of the value."""
    results = (await app.client.post("/update", json=ops)).json()
    for before, after in pairwise(results):
        assert before["new_value"] == after["old_value"]
    return [result["new_value"] for result in results]


@rule(
    "14.5", "`update(scope, key, ops)` does `set`, `merge`, `increment`, `decrement` and `remove`"
)
@rule("14.5", "`update` gives `{old_value, new_value}`")
@rule("14.5", "`merge` is shallow, and without `path` of the value itself")
async def test_state_is_changed_by_operations(app: StepTester) -> None:
    async with app:
        values = await updated(
            app,
            [{"type": "set", "path": "count", "value": 1}],
            [{"type": "increment", "path": "count", "by": 5}],
            [{"type": "decrement", "path": "count", "by": 2}],
            [{"type": "merge", "value": {"a": {"x": 1}, "b": 1}}],
            [{"type": "merge", "value": {"a": {"y": 2}}}],
            [{"type": "merge", "path": "a", "value": {"z": 3}}],
            [{"type": "remove", "path": "b"}, {"type": "increment", "path": "count", "by": 1}],
        )
    assert values == [
        {"count": 1},
        {"count": 6},
        {"count": 4},
        {"count": 4, "a": {"x": 1}, "b": 1},
        {"count": 4, "a": {"y": 2}, "b": 1},
        {"count": 4, "a": {"y": 2, "z": 3}, "b": 1},
        {"count": 5, "a": {"y": 2, "z": 3}},
    ]


@rule(
    "14.5",
    "The operations of an `update` are done in their order, in one atomic step",
    better="all or none: where one does not fit, it raises and the value stays",
)
async def test_operations_are_all_or_none(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/update")
    assert answer.json() == ["UpdateError", {"count": 1, "name": "a"}]


@rule("14.5", "Updates that are made at once lose nothing of each other")
async def test_updates_do_not_lose_each_other(app: StepTester) -> None:
    async with app:
        await asyncio.gather(*[app.emit("visit", number) for number in range(20)])
        await app.settle()
        assert await app.state.get("pages", "home") == {"visits": 20}


@rule("14.5", "TypeScript's `stateManager` has the same, with `listGroups`")
async def test_state_in_typescript(app: StepTester) -> None:
    paid = {"count": 3, "paid": True}
    async with app:
        answer = await app.client.post("/state")
    assert answer.json() == {
        "set": {"old_value": None, "new_value": {"count": 1}},
        "update": {"old_value": {"count": 1}, "new_value": paid},
        "listed": [paid],
        "groups": ["orders"],
        "deleted": paid,
        "missing": None,
    }


@rule(
    "14.5",
    "`Stream(name)` has `get`, `set`, `update`, `delete`, `list`, `get_group`, `list_groups`",
)
@rule("14.5", "`set` and `update` of a stream give `{old_value, new_value}`")
async def test_streams_are_objects(app: StepTester) -> None:
    async with app, app.join("todos", "inbox") as client:
        answer = await app.client.post("/todos")
        told = [await client.next() for _ in range(5)]
    assert answer.json() == {
        "made": [None, "a"],
        "changed": ["a", "b"],
        "updated": [1, 5],
        "found": ["1", 5],
        "listed": ["b"],
        "same": True,
        "groups": ["done", "inbox"],
        "missing": None,
    }
    assert [one.type for one in told] == ["sync", "create", "update", "update", "delete"]


@rule("14.5", "In TypeScript `new Stream(config)` beside the config is what Steps import")
async def test_streams_of_a_config_in_typescript(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/todos")
    assert answer.json() == {
        "made": [None, "a"],
        "updated": ["a", "b"],
        "listed": [["1", "b"]],
        "found": "b",
        "groups": [],
    }


@rule(
    "14.5",
    "`state(condition=…)` starts a Step at each change of the state that the condition takes",
)
@rule(
    "14.5", "Its input has `type`, `group_id`, `item_id`, `old_value` and `new_value` as attributes"
)
async def test_changes_of_state_start_steps(app: StepTester) -> None:
    async with app:
        await app.client.post(
            "/users/7", json={"changes": [{"status": "a"}, {"status": "b"}, None]}
        )
        await app.settle()
        told = [line.data for line in await app.logs("info") if line.message == "changed"]
    place = {"type": "state", "group_id": "users", "item_id": "7"}
    a, b = {"status": "a"}, {"status": "b"}
    expected = [
        {**place, "old_value": old, "new_value": new} for old, new in ((None, a), (a, b), (b, None))
    ]
    assert sorted(told, key=str) == sorted(expected, key=str)


@rule(
    "14.5",
    "`stream(name, group_id=, item_id=)` starts a Step at changes of all, a group, or an item",
)
@rule(
    "14.5",
    "Its input has `type`, `stream_name`, `group_id`, `id`, `timestamp` and `event` as attributes",
)
@rule("14.5", "`event.type` is `create`, `update`, `delete` or `event`; `event.data` is the item")
@rule("14.5", "In TypeScript its input has `streamName`, `groupId`, `id` and `event`")
async def test_changes_of_streams_start_steps(app: StepTester) -> None:
    async with app:
        await app.client.post("/todos")
        await app.settle()
        told = {line.message: line.data for line in await app.logs("info")}
        everything = await app.state.get_group("heard-0")
        of_one = await app.state.get_group("heard-1")
    assert {kind: data["data"] for kind, data in told.items()} == {
        "create": {"id": "1", "text": "a"},
        "update": {"id": "1", "text": "b"},
        "delete": {"id": "1", "text": "b"},
        "event": {"type": "typing", "data": {"user": "ann"}},
    }
    for data in told.values():
        assert data["place"] == ["stream", "todo", "inbox", "1"]
        assert data["keys"] == ["todo", "inbox"]
        assert data["timestamp"] > 1_700_000_000_000
    assert len(everything) == 6
    assert of_one == [["todo", {"id": "3", "text": "y"}]]


@rule("14.5", "In TypeScript the input of a state trigger has the same names")
async def test_state_triggers_in_typescript(app: StepTester) -> None:
    async with app:
        await app.client.post("/audit")
        await app.settle()
        told = [line.data for line in await app.logs("info") if line.message == "changed"]
    place = {"type": "state", "group_id": "users", "item_id": "ann"}
    made = {**place, "old_value": None, "new_value": {"age": 1}}
    grown = {**place, "old_value": {"age": 1}, "new_value": {"age": 2}}
    assert sorted(told, key=str) == sorted([made, grown], key=str)


@rule(
    "14.5",
    "Changes that Steps of 0.17 make start Steps of 1.0",
    better="`clear` too, which tells of each key; each change is stored in one step with its event",
)
async def test_classic_changes_start_steps_too(app: StepTester) -> None:
    async with app:
        await app.emit("go")
        await app.settle()
        told = [(line.message, line.data["new"]) for line in await app.logs("info")]
    assert sorted(told, key=str) == [("state", None), ("state", {"age": 1}), ("stream", None)]


async def wait_for(app: StepTester, group: str, key: str) -> Any:
    """What a hook has stored, which nobody waits for."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while (found := await app.state.get(group, key)) is None:
            await asyncio.sleep(0.01)
    return found


@rule(
    "14.5",
    "`authenticateStream({headers, path, queryParams, addr}, ctx)` of motia.config says who joins",
)
@rule("14.5", "Its `queryParams` are lists; what it throws is a 401")
@rule(
    "14.5",
    "`onJoin(subscription, ctx, authContext)` is asked at each join; `{unauthorized: true}` denies",
)
@rule("14.5", "`onLeave(subscription, ctx, authContext)` is told of each client that has left")
async def test_clients_join_and_leave(app: StepTester) -> None:
    async with app:
        async with Wire(app, "/live?token=bad") as wire:
            assert wire.refused == (401, "Authentication failed")
        async with Wire(app, "/live?token=ann") as wire:
            wire.join("rooms", "lobby", "1")
            assert await wire.until_answered() == []
        async with Wire(app, "/live", headers={"x-user": "bob"}) as wire:
            wire.join("rooms", "lobby")
            ((kind, error),) = events(await wire.until_answered())
        assert await app.state.get("joined", "ann") == ["lobby", "1"]
        assert await app.state.get("joined", "bob") == ["lobby", None]
        assert await wait_for(app, "left", "ann") == "lobby"
    assert (kind, error["code"]) == ("error", "STREAM_ACCESS_DENIED")


@rule("14.5", "In Python the hooks are `on_join` and `on_leave` of a `StreamConfig`, or in a dict")
@rule(
    "14.5", "Their subscription has `group_id` and `id`, a handshake `query_params`, as attributes"
)
@rule("14.5", "`StreamAuthResult(authorized=False)` refuses a client")
async def test_clients_join_and_leave_in_python(app: StepTester) -> None:
    async with app:
        async with Wire(app, "/live") as wire:
            assert wire.refused == (401, "Authentication failed")
        async with Wire(app, "/live?token=bob") as wire:
            wire.join("rooms", "lobby")
            ((kind, _),) = events(await wire.until_answered())
        async with Wire(app, "/live?token=ann") as wire:
            wire.join("rooms", "lobby")
            assert (await wire.next())["event"]["type"] == "sync"
        assert await wait_for(app, "left", "ann") == "lobby"
    assert kind == "error"


@rule(
    "14.5",
    "HTTP is on port 3111, streams are on 3112",
    different="both are on one port, 3000 or the setting `port`, as in 0.17",
)
async def test_one_port_serves_both(app: StepTester, project: Path) -> None:
    async with app, Wire(app, "/notes") as wire:
        assert (await app.client.get("/notes")).json() == []
        wire.join("notes", "all")
        assert (await wire.next())["event"]["type"] == "sync"
    assert load_settings(project).port == 3000
