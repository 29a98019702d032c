"""The outbox: events stored with the state, and sent once the broker is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future

import httpx
import redis
from integration.apps import Project, wait_until
from servers import RabbitNode, free_ports

from motia_celery.broker.outbox_relay import OutboxRelay, outbox_entry
from motia_celery.broker.wire import Message
from motia_celery.errors import EmitError
from motia_celery.stores.outbox import OutboxEntries

WRITES = """
from acts import note

config = {config!r}


async def handler(data, context):
    async with context.transaction() as tx:
        tx.state.set("orders", data["token"], {"n": 1})
        tx.state.delete("orders", "gone")
        for n in range(data.get("events", 1)):
            await tx.emit({"topic": "made", "data": {**data, "n": n}})
        if data.get("breaks"):
            raise ValueError("in the transaction")
    note("done", config["name"], await context.state.plain.get_group("orders"), context)
"""
API = """
config = {"type": "api", "name": "api", "method": "POST", "path": "/orders/:token", "emits": []}


async def handler(req, context):
    token = req["pathParams"]["token"]
    async with context.transaction() as tx:
        tx.state.set("orders", token, "stored")
        for n in range(9):
            tx.emit({"topic": "made", "data": {"token": token, "n": n}})
    await context.emit(topic="made", data={"token": token, "n": 9}, outbox=True)
    return {"status": 202, "body": await context.state.get("orders", token)}
"""
WRITES_IN_THREAD = """
from acts import note

config = {config!r}


def handler(data, context):
    with context.transaction() as tx:
        tx.state.set("orders", data["token"], {"n": 1}, ttl_seconds=60)
        tx.emit(topic="made", data=data, delay=1)
    note("done", config["name"], context.state.plain.get("orders", data["token"]), context)
"""
WRITES_IN_NODE = """
export const config = { type: 'event', name: 'node', subscribes: ['write-node'] };
export const handler = async (data: any, { transaction, state, emit }: any) => {
  const result = await transaction(async (tx: any) => {
    await tx.state.set('orders', data.token, { n: 1 });
    tx.emit({ topic: 'made', data });
    return 'kept';
  });
  const nothing = await transaction((tx: any) => {
    tx.state.set('orders', 'never', 1);
    throw new Error('own words');
  }).catch((error: Error) => error.message);
  await emit({ topic: 'told', data: {
    token: data.token, result, nothing, group: await state.getGroup('orders'),
  } });
};
"""


def write_steps(project: Project) -> None:
    project.step("writes", ["write"], source=WRITES, retries=1, retry={"backoff": [0]})
    project.step("made", ["made"])


def waiting(project: Project) -> int:
    """How many events are in the outbox."""
    with redis.Redis.from_url(project.settings().redis) as client:
        return int(client.xlen(f"{project.prefix}:outbox"))


def test_a_transaction_stores_state_and_sends_events_in_their_order(project: Project) -> None:
    write_steps(project)
    project.worker(concurrency=1)
    project.emit("write", {"token": "t", "events": 30})
    (note,) = project.wait_for("writes")
    assert note["data"] == [{"n": 1}]
    made = [n["data"]["n"] for n in project.wait_for("made", 30, seconds=60)]
    assert made == list(range(30))
    wait_until(lambda: waiting(project) == 0, "an empty outbox")


def test_an_error_inside_stores_and_sends_nothing(project: Project) -> None:
    write_steps(project)
    project.worker()
    project.emit("write", {"token": "t", "breaks": True})
    project.dead_letters()
    project.emit("write", {"token": "later"})
    (note,) = project.wait_for("writes")
    assert note["data"] == [{"n": 1}]
    assert [n["data"]["token"] for n in project.wait_for("made")] == ["later"]


def test_it_works_in_threads_and_in_node(project: Project) -> None:
    """With a delay, too, which counts from the transaction."""
    project.step("writes", ["write"], source=WRITES_IN_THREAD)
    project.step("made", ["made"])
    project.step("told", ["told"])
    (project.folder / "steps" / "node.step.ts").write_text(WRITES_IN_NODE)
    project.worker()
    event = project.emit("write", {"token": "thread"})
    (late,) = project.wait_for("made")
    assert late["at"] - event.timestamp_ms / 1000 >= 1
    assert project.notes("writes")[0]["data"] == {"n": 1}
    project.publish(project.queue("node"), b'{"token": "node"}')
    (told,) = project.wait_for("told")
    assert told["data"] == {
        "token": "node",
        "result": "kept",
        "nothing": "own words",
        "group": [{"n": 1}, {"n": 1}],
    }
    assert {n["data"]["token"] for n in project.wait_for("made", 2)} == {"thread", "node"}


def test_events_wait_for_a_broker_that_is_away_and_outlive_who_wrote_them(
    private_rabbitmq: RabbitNode, make_project: Callable[..., Project]
) -> None:
    """A route answers while RabbitMQ is down, and is killed; another process sends, in order."""
    project = make_project(private_rabbitmq.url)
    (project.folder / "steps" / "api_step.py").write_text(API)
    project.step("made", ["made"])
    (port,) = free_ports(1)
    web = project.command("web", port=port)
    web.wait_for_line("web.ready")
    project.release()
    private_rabbitmq.kill()
    for token in "abc":
        answer = httpx.post(f"http://127.0.0.1:{port}/orders/{token}", timeout=60)
        assert answer.status_code == 202, answer.text
    assert waiting(project) == 30
    web.kill()
    private_rabbitmq.start()
    project.worker(concurrency=1)
    done = project.wait_for("made", 30, seconds=60)
    for token in "abc":
        assert [n["data"]["n"] for n in done if n["data"]["token"] == token] == list(range(10))
    assert len({n["run"] for n in done}) == len(done) == 30
    wait_until(lambda: waiting(project) == 0, "an empty outbox")


def test_one_process_leads_and_another_takes_over(redis_url: str, name_prefix: str) -> None:
    """At once after a stop, after the lease when it died."""
    with redis.Redis.from_url(redis_url) as client:
        entries = OutboxEntries(client, name_prefix)
        assert entries.lead("one", 60)
        assert not entries.lead("two", 60)
        entries.resign("two")
        assert not entries.lead("two", 60)
        assert entries.lead("one", 0.3)
        wait_until(lambda: entries.lead("two", 60), "the lease of one is over", 60)
        entries.resign("two")
        assert entries.lead("one", 60)


def test_an_event_that_is_refused_holds_back_its_emitter_alone(
    redis_url: str, name_prefix: str
) -> None:
    """What it emitted later waits behind it; others go on, however many there are."""
    with redis.Redis.from_url(redis_url) as client:
        entries = OutboxEntries(client, name_prefix)
        sent: list[tuple[str, int]] = []
        full = True

        def send(message: Message, _: float) -> list[Future[None]]:
            done: Future[None] = Future()
            emitter, n = json.loads(message.body)
            if full and (emitter, n) == ("a", 1):
                done.set_exception(EmitError("the queue is full."))
            else:
                sent.append((emitter, n))
                done.set_result(None)
            return [done]

        for n in range(120):
            for emitter in "ab":
                message = Message(
                    exchange="e",
                    routing_key="t",
                    body=json.dumps([emitter, n]).encode(),
                    headers={},
                    properties={},
                )
                entry = outbox_entry(message, emitter)
                fields = {"emitter": entry.emitter, "payload": entry.payload}
                client.xadd(f"{name_prefix}:outbox", fields)  # type: ignore[arg-type]
        relay = OutboxRelay(entries, send)
        relay.start()
        wait_until(lambda: entries.count() == 119, "all but those behind the refused one", 60)
        assert sorted(sent) == [("a", 0), *(("b", n) for n in range(120))]
        full = False
        wait_until(lambda: entries.count() == 0, "the rest", 60)
        relay.stop()
    for emitter in "ab":
        assert [n for name, n in sent if name == emitter] == list(range(120))
