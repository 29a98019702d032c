"""Steps that changes of state and streams start, in the app's real processes."""

from __future__ import annotations

import socket
from typing import Any

import httpx
from integration.apps import Project, wait_until

TOKEN = "t" * 32

HEARS = """
from acts import note

from motia import Stream, enqueue, multi_trigger_step, queue, state, state_manager, stream

orders = Stream("orders")


def is_total(change, ctx):
    return change.group_id == "totals"


async def on_state(change, ctx):
    note("state", "hears", [dict(change), ctx.trigger.type, ctx.trigger.index], ctx)
    if change.new_value == "fail":
        raise ValueError("no")


async def on_stream(change, ctx):
    told = {**change, "event": dict(change.event), "timestamp": isinstance(change.timestamp, int)}
    note("stream", "hears", [told, change.stream_name, ctx.trigger.index], ctx)


async def on_queue(data, ctx):
    await orders.set("all", "1", {"n": data})
    await orders.set("all", "2", {"n": data})
    await orders.update("all", "1", [{"type": "increment", "path": "n", "by": 1}])
    await orders.delete("all", "1")
    await orders.delete("all", "none")
    await orders.send({"groupId": "all", "id": "1"}, {"type": "ping", "data": 1})
    async with ctx.transaction() as tx:
        tx.state.set("totals", "in-transaction", {"a": 1})
    await state_manager.update("totals", "n", [{"type": "increment", "path": "", "by": data}])
    await state_manager.set("other", "n", 1)
    await state_manager.set("totals", "bad", "fail")
    await enqueue({"topic": "node.write", "data": 7})


config, handler = (
    multi_trigger_step(
        {
            "name": "hears",
            "triggers": [
                queue("write"),
                state(condition=is_total),
                stream("orders", group_id="all", item_id="1"),
                stream("orders", group_id="others"),
            ],
            "retry": {"maxAttempts": 2, "delaySeconds": 0.1},
        }
    )
    .on_queue(on_queue)
    .on_state(on_state)
    .on_stream(on_stream)
    .handlers()
)
"""

WRITES_IN_NODE = """
export const config = { type: 'event', name: 'writes', subscribes: ['node.write'], emits: [] };
export const handler = async (data: any, { state, streams }: any) => {
  await state.set('totals', 'node', data);
  await state.delete('totals', 'node');
  await streams.orders.set('others', 'x', { from: 'node' });
};
"""


class Told:
    """A web process and a worker, and what their Step has heard."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.step("hears", ["write"], source=HEARS)
        (project.folder / "steps" / "orders_stream.py").write_text('config = {"name": "orders"}\n')
        (project.folder / "steps" / "writes.step.ts").write_text(WRITES_IN_NODE)
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self._address = f"http://127.0.0.1:{port}"
        web = project.command("web", port=port, host="127.0.0.1", admin_token=TOKEN)
        web.wait_for_line("web.ready")
        project.worker()

    def state(self, key: str, count: int = 1) -> list[Any]:
        """What was heard of a key of state."""
        return self._heard("state", "item_id", key, count)

    def stream(self, id: str, count: int) -> list[Any]:
        """What was heard of an item."""
        return self._heard("stream", "id", id, count)

    def _heard(self, what: str, name: str, key: str, count: int) -> list[Any]:
        def found() -> list[Any]:
            return [n for n in self.project.notes("hears", what) if n["data"][0][name] == key]

        wait_until(lambda: len(found()) >= count, f"{count} changes of {key}", 60)
        return found()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {TOKEN}"}
        return httpx.request(method, self._address + path, timeout=40, headers=headers, **more)


def test_changes_made_anywhere_start_the_steps_that_hear_them(project: Project) -> None:
    told = Told(project)
    emitted = project.emit("write", 5)

    (in_transaction,) = told.state("in-transaction")
    change = {"type": "state", "group_id": "totals", "item_id": "in-transaction"}
    assert in_transaction["data"] == [
        {**change, "old_value": None, "new_value": {"a": 1}},
        "state",
        1,
    ]
    assert in_transaction["trace"] == emitted.trace.trace_id
    assert told.state("n")[0]["data"][0]["new_value"] == 5

    heard = sorted(told.stream("1", 4), key=lambda one: one["data"][0]["event"]["type"])
    events = [one["data"][0]["event"] for one in heard]
    assert events == [
        {"type": "create", "data": {"n": 5, "id": "1"}},
        {"type": "delete", "data": {"n": 6, "id": "1"}},
        {"type": "event", "data": {"type": "ping", "data": 1}},
        {"type": "update", "data": {"n": 6, "id": "1"}},
    ]
    place = {"type": "stream", "timestamp": True, "streamName": "orders", "groupId": "all"}
    assert heard[0]["data"] == [{**place, "id": "1", "event": events[0]}, "orders", 2]
    assert {one["trace"] for one in heard} == {emitted.trace.trace_id}

    pairs = [
        (one["data"][0]["old_value"], one["data"][0]["new_value"]) for one in told.state("node", 2)
    ]
    assert sorted(pairs, key=str) == [(7, None), (None, 7)]
    (from_node,) = told.stream("x", 1)
    assert (from_node["data"][0]["event"]["type"], from_node["data"][2]) == ("create", 3)

    (letter,) = project.dead_letters(1, seconds=60)
    assert (letter.headers["motia-topic"], letter.data["item_id"]) == ("motia.state.1", "bad")
    attempts = told.state("bad", 2)
    assert [one["attempt"] for one in attempts] == [1, 2]
    assert len({one["run"] for one in attempts}) == 1

    assert project.command("state", "set", "totals", "outside", "1").wait() == 0
    write = {"group": "totals", "key": "outside", "value": 2}
    told.ask("PUT", "/__workbench/api/state/value", json=write).raise_for_status()
    outside = [one["data"][0] for one in told.state("outside", 2)]
    assert sorted((one["old_value"] or 0, one["new_value"]) for one in outside) == [(0, 1), (1, 2)]
