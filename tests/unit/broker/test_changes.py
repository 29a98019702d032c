"""The events of changes, from the outbox's entry to the run that they start."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from motia_celery.broker import wire
from motia_celery.broker.changes import DEEPEST_CHANGE, ChangeEvents
from motia_celery.broker.direct.frames import Arrival
from motia_celery.broker.direct.reading import read
from motia_celery.broker.outbox_relay import entry_message
from motia_celery.broker.queue import StepQueue, step_queue
from motia_celery.broker.wire import Message
from motia_celery.errors import ChangeLoopError
from motia_celery.model.run import Run
from motia_celery.model.step import (
    EventTrigger,
    QueueOptions,
    StateTrigger,
    Step,
    StreamTrigger,
)
from motia_celery.model.told import Told
from motia_celery.model.trace import Trace
from motia_celery.plan import compile_plan
from motia_celery.settings import load_settings
from motia_celery.stores.outbox import Entry

STATE, GROUP = StateTrigger(), StreamTrigger(stream="s", group="g")
ITEM = StreamTrigger(stream="s", item="i")
RUN = Run(id="r", step="a", trigger="http", input=None, trace=Trace.start(), root_id="root")


def step(*triggers: Any, name: str = "a") -> Step:
    return Step(name=name, file=f"steps/{name}_step.py", language="python", triggers=triggers)


def events(*steps: Step, broker_url: str = "amqp://localhost") -> ChangeEvents:
    settings = load_settings(environ={}, broker_url=broker_url, redis_url="redis://localhost")
    return ChangeEvents(settings, compile_plan(prefix="app", timezone="UTC", steps=steps))


def sent(told: Told | None, id: str = "1-0", body: bytes = b"{}") -> list[Message]:
    """The messages that the outbox's sender makes of a change."""
    assert told is not None
    entries = (Entry(t.emitter, t.payload.encode(), body) for t in told.targets)
    return [entry_message(id, entry, 0) for entry in entries]


def test_nobody_hears_changes_without_such_triggers() -> None:
    made = events(step(EventTrigger(topics=("x",))))
    assert not made
    assert made.made_by(RUN).of_state("g") is None
    assert made.made_by(RUN).of_stream("s", "g") is None


def test_each_trigger_hears_what_it_names() -> None:
    teller = events(step(STATE, GROUP, ITEM), step(STATE, name="b")).made_by(RUN)

    def told(found: Told | None) -> list[tuple[str, str, str | None]]:
        pairs = zip(sent(found), found.targets, strict=True) if found else ()
        return [(m.routing_key, m.headers[wire.TOPIC], t.item) for m, t in pairs]

    a, b = "app.q.a", "app.q.b"
    assert told(teller.of_state("any")) == [
        (a, "motia.state.0", None),
        (b, "motia.state.0", None),
    ]
    assert told(teller.of_stream("s", "g")) == [
        (a, "motia.stream.1", None),
        (a, "motia.stream.2", "i"),
    ]
    assert told(teller.of_stream("s", "other")) == [(a, "motia.stream.2", "i")]
    assert told(teller.of_stream("other", "g")) == []


@pytest.mark.parametrize(
    ("broker", "exchange"), [("amqp://localhost", "app.steps"), ("redis://localhost", "")]
)
def test_an_event_goes_to_the_step_alone_and_follows_from_the_run(
    broker: str, exchange: str
) -> None:
    (message,) = sent(events(step(STATE), broker_url=broker).made_by(RUN).of_state("g"))
    assert message.exchange == exchange
    headers = message.headers
    assert headers["traceparent"] == RUN.trace.header
    assert (headers[wire.ROOT], headers[wire.PARENT]) == ("root", "r")
    assert message.properties["correlation_id"] == "root"


def test_each_entry_is_an_event_of_its_own_however_often_it_is_sent() -> None:
    teller = events(step(STATE)).made_by()
    told = teller.of_state("g")
    ids = [sent(told, id)[0].properties["message_id"] for id in ("1-0", "1-0", "1-1")]
    assert ids[0] == ids[1] != ids[2]
    assert sent(told)[0].properties["correlation_id"] == ids[0]


def test_fifo_steps_hear_the_changes_of_a_group_in_order() -> None:
    queue = EventTrigger(topics=("x",), queue=QueueOptions(type="fifo"))
    told = events(step(queue, STATE)).made_by(RUN).of_state("g")
    assert told is not None
    (target,) = told.targets
    assert (target.by_key, target.emitter) == (False, "app.q.a:1:g")
    assert sent(told)[0].headers[wire.GROUP] == "g"


def test_a_chain_of_changes_ends() -> None:
    made = events(step(STATE))
    for depth, header in ((0, "1"), (DEEPEST_CHANGE - 1, str(DEEPEST_CHANGE))):
        at = Run(id="r", step="a", trigger="event", input=1, trace=RUN.trace, depth=depth)
        (message,) = sent(made.made_by(at).of_state("g"))
        assert message.headers[wire.DEPTH] == header
    at = Run(id="r", step="a", trigger="event", input=1, trace=RUN.trace, depth=DEEPEST_CHANGE)
    with pytest.raises(ChangeLoopError, match="100 changes"):
        made.made_by(at).of_state("g")


def arrived(message: Message, queue: StepQueue) -> Arrival:
    return Arrival(
        consumer="c",
        tag=1,
        redelivered=False,
        exchange=message.exchange,
        routing_key=message.routing_key,
        properties={
            **message.properties,
            "application_headers": dict(message.headers),
            "content_type": wire.CONTENT_TYPE,
            "content_encoding": "utf-8",
        },
        body=message.body,
    )


def test_a_delivery_starts_a_run_of_its_trigger() -> None:
    made_of = step(STATE, GROUP)
    made = events(made_of)
    body = orjson.dumps({"type": "stream", "streamName": "s", "event": {"type": "create"}})
    (message,) = sent(made.made_by(RUN).of_stream("s", "g"), body=body)
    plan = compile_plan(prefix="app", timezone="UTC", steps=[made_of])
    queue = step_queue(
        plan.topology.queues[0], plan.names, amqp=True, prefetch=1, limit_bytes=10**6
    )
    found = read(arrived(message, queue), queue, made_of)
    assert found is not None
    run = found.run
    assert (run.trigger, run.trigger_index, run.depth) == ("stream", 1, 1)
    assert (run.input.stream_name, run.input.event.type) == ("s", "create")
    assert (run.trace.trace_id, run.parent_id) == (RUN.trace.trace_id, "r")
    raw = SimpleNamespace(
        body=message.body,
        properties=arrived(message, queue).properties,
        delivery_info={"exchange": "app.steps", "routing_key": queue.name, "delivery_tag": 1},
        delivery_tag=1,
    )
    queue.adapt(raw)
    headers = raw.properties["application_headers"]
    assert (headers["id"], wire.depth_of(headers)) == (run.id, 1)
