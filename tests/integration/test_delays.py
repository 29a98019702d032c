"""Delays: of one emit, and of a Step; kept by the broker, and never early."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from integration.apps import Project, wait_until
from servers import RabbitNode

from motia_celery.model.event import Event, run_id

#: Emits what its event asks for.
EMITS = """
from acts import note

config = {config!r}


async def handler(data, context):
    for emit in data["asked"]:
        await context.emit(emit)
    note("done", config["name"], data, context)
"""
EMITS_IN_NODE = """
export const config = { type: 'event', name: 'asks', subscribes: ['ask'] };
export const handler = async (data: any, { emit }: any) => {
  await emit({ topic: 'later', data: { token: 'seconds' }, delay: 2 });
  await emit({ topic: 'later', data: { token: 'date' }, at: new Date(Date.now() + 2000) });
  await emit({ topic: 'later', data: { token: 'number' }, at: Date.now() + 2000 });
};
"""


def ask(project: Project, *emits: dict[str, Any]) -> float:
    """Lets a handler emit these; gives the time before."""
    began = time.time()
    project.emit("ask", {"asked": list(emits)})
    return began


def test_a_delayed_emit_arrives_when_it_is_due(project: Project) -> None:
    """In seconds or at a moment, not before; and once, at everyone who subscribed."""
    project.step("asks", ["ask"], source=EMITS)
    project.step("one", ["later.*"])
    project.step("two", ["later.#"])
    project.worker()
    at = datetime.fromtimestamp(time.time() + 3, UTC).isoformat()
    began = ask(
        project,
        {"topic": "later.a", "data": {"token": "now"}},
        {"topic": "later.a", "data": {"token": "half"}, "delay": 0.5},
        {"topic": "later.b", "data": {"token": "two"}, "delay": 2},
        {"topic": "later.b", "data": {"token": "at"}, "at": at},
    )
    for step in ("one", "two"):
        notes = {n["data"]["token"]: n for n in project.wait_for(step, 4)}
        for token, least in (("half", 0.5), ("two", 2), ("at", 2.9)):
            assert notes[token]["at"] - began >= least, token
        assert notes["two"]["topic"] == "later.b"
        assert notes["two"]["trace"] == notes["now"]["trace"]
        assert len(project.notes(step, "begun")) == 4


def test_a_step_of_its_own_delay_gets_its_events_later_than_the_others(project: Project) -> None:
    """And its retries do not wait for it again."""
    slow = {"queue": {"delaySeconds": 2, "maxRetries": 1}}
    retry = {"backoff": [0], "jitter": 0}
    project.step("slow", ["x"], infrastructure=slow, retry=retry)
    project.step("quick", ["x"])
    project.worker()
    began = time.time()
    event = project.emit("x", {"fails": {"slow": 1}})
    (quick,) = project.wait_for("quick")
    assert project.notes("slow") == []
    first, second = project.wait_for("slow", 2, "begun")
    assert first["at"] - began >= 2 > quick["at"] - began
    assert second["at"] - first["at"] < 2
    assert [n["attempt"] for n in (first, second)] == [1, 2]
    assert {n["run"] for n in (first, second)} == {run_id(event.id, project.queue("slow"))}


def test_the_delay_of_a_step_counts_from_the_emit(project: Project) -> None:
    """An event that waited for a worker anyway does not wait once more."""
    project.step("slow", ["x"], infrastructure={"queue": {"delaySeconds": 30}})
    project.release()
    old = Event(topic="x", data={}, timestamp_ms=int((time.time() - 31) * 1000))
    project.publisher.emit_blocking(old)
    project.worker()
    project.wait_for("slow", seconds=60)


def test_a_foreign_message_waits_for_the_step_too(on_rabbitmq: Project) -> None:
    """A bare JSON body from any client; it keeps its topic and has an id."""
    project = on_rabbitmq
    project.step("slow", ["x.*"], infrastructure={"queue": {"delaySeconds": 2}})
    project.worker()
    began = time.time()
    project.publish("x.y", b'{"n": 1}', exchange=project.names.events)
    (note,) = project.wait_for("slow")
    assert note["at"] - began >= 2
    assert (note["topic"], note["data"]) == ("x.y", {"n": 1})


def test_what_is_no_event_goes_to_the_dead_letters_at_once(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("slow", ["x"], infrastructure={"queue": {"delaySeconds": 60}})
    project.worker()
    project.publish(project.queue("slow"), b"nope")
    project.publish(project.names.relay, b"{}")
    letters = project.dead_letters(2)
    assert sorted(letter.body for letter in letters) == [b"nope", b"{}"]


def test_a_delayed_emit_needs_no_worker_and_no_release(on_rabbitmq: Project) -> None:
    """A web process may be the first on a new broker; the event keeps its id."""
    project = on_rabbitmq
    project.step("one", ["later"])
    event = Event(topic="later", data={"token": "t"})
    asyncio.run(project.publisher.emit(event, delay_seconds=1))
    wait_until(lambda: project.depth(project.names.relay) == 1, "the event at the relay")
    project.worker()
    (note,) = project.wait_for("one")
    assert note["run"] == run_id(event.id, project.queue("one"))
    assert project.depth(project.names.relay) == 0


def test_release_makes_the_relay_queue(on_rabbitmq: Project) -> None:
    on_rabbitmq.step("one", ["later"])
    on_rabbitmq.release()
    assert on_rabbitmq.exists(on_rabbitmq.names.relay)


def test_delayed_emits_outlive_a_killed_worker(project: Project) -> None:
    """Nothing waits in a worker's memory."""
    slow = {"queue": {"delaySeconds": 3}}
    project.step("asks", ["ask"], source=EMITS)
    project.step("one", ["later"])
    project.step("slow", ["ask"], infrastructure=slow)
    first = project.worker()
    emits = [{"topic": "later", "data": {"token": str(n)}, "delay": 3} for n in range(20)]
    began = ask(project, *emits)
    project.wait_for("asks")
    time.sleep(0.5)  # the worker has sent the slow Step's event on its way
    first.kill()
    assert project.notes("one") == project.notes("slow") == []
    project.worker()
    tokens = [n["data"]["token"] for n in project.wait_for("one", 20, seconds=60)]
    assert sorted(tokens, key=int) == [str(n) for n in range(20)]
    (late,) = project.wait_for("slow", seconds=60)
    assert min(n["at"] for n in [late, *project.notes("one", "done")]) - began >= 3


def test_delayed_emits_outlive_a_killed_broker(
    private_rabbitmq: RabbitNode, make_project: Callable[..., Project]
) -> None:
    """``kill -9`` of RabbitMQ while they wait there."""
    project = make_project(private_rabbitmq.url)
    project.step("asks", ["ask"], source=EMITS)
    project.step("one", ["later"])
    project.step("slow", ["ask"], infrastructure={"queue": {"delaySeconds": 4}})
    project.worker()
    emits = [{"topic": "later", "data": {"token": str(n)}, "delay": 4} for n in range(20)]
    began = ask(project, *emits)
    project.wait_for("asks", seconds=60)
    time.sleep(0.5)
    private_rabbitmq.kill()
    private_rabbitmq.start()
    project.wait_for("one", 20, seconds=60)
    project.wait_for("slow", 1, seconds=60)
    done = project.notes("one", "done")
    assert {n["data"]["token"] for n in done} == {str(n) for n in range(20)}
    assert min(n["at"] for n in done) - began >= 4


def test_typescript_steps_delay_their_emits(project: Project) -> None:
    """By seconds, by a Date, and by its number."""
    project.step("later", ["later"])
    (project.folder / "steps" / "asks.step.ts").write_text(EMITS_IN_NODE)
    project.release()
    project.worker()
    began = time.time()
    project.publisher.emit_blocking(Event(topic="ask", data={}))
    if not project.settings().uses_rabbitmq:
        project.publish(project.queue("asks"), b"{}")
    done = project.wait_for("later", 3, seconds=60)
    assert {n["data"]["token"] for n in done} == {"seconds", "date", "number"}
    assert min(n["at"] for n in done) - began >= 2
