"""The context: what a handler may use."""

from __future__ import annotations

import logging

import pytest

from motia_celery.context import Context, Services
from motia_celery.errors import ConfigError, UndeclaredTopicError
from motia_celery.model.emit import EmitOptions
from motia_celery.model.run import Run
from motia_celery.model.step import DEFAULT_VISIBILITY_SECONDS, Emit, EventTrigger, Step
from motia_celery.model.trace import Trace
from motia_celery.stores.memory_state import MemoryState

TRACE = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


class Exchange:
    def __init__(self):
        self.events, self.options, self.timeouts = [], [], []

    async def emit(self, event, options, **more):
        self.events.append(event)
        self.options.append(options)
        self.timeouts.append(more.get("timeout_seconds"))
        return True


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
def make(exchange):
    def make(*emits, strict=False, lists_triggers=False, **run):
        step = Step(
            name="charge",
            file="steps/charge_step.py",
            language="python",
            triggers=(EventTrigger(topics=("order.created",)),),
            emits=tuple(Emit(topic=topic) for topic in emits),
            lists_triggers=lists_triggers,
        )
        services = Services(emitter=exchange, state=MemoryState(), strict_emits=strict)
        values = {"id": "r1", "step": "charge", "trigger": "event", "input": None, "trace": TRACE}
        return Context(Run(**{**values, **run}), step, services)

    return make


async def test_the_context_tells_about_the_run(make):
    context = make(flows=("orders",), attempt=2, max_attempts=4, topic="order.created")
    assert context.trace_id == context.traceId == TRACE.trace_id
    assert (context.run_id, context.attempt, context.max_attempts) == ("r1", 2, 4)
    assert (context.flows, context.topic) == (["orders"], "order.created")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (({"topic": "a", "data": {"n": 1}, "messageGroupId": "g"},), {}),
        ((), {"topic": "a", "data": {"n": 1}, "message_group_id": "g"}),
    ],
)
async def test_emit_takes_motias_dict_or_keywords(make, exchange, args, kwargs):
    await make().emit(*args, **kwargs)
    (event,) = exchange.events
    assert (event.topic, event.data, event.group) == ("a", {"n": 1}, "g")


async def test_an_event_carries_the_trace_and_its_cause(make, exchange):
    await make().emit(topic="a")
    await make(root_id="first").emit(topic="a")
    first, second = exchange.events
    assert first.trace == TRACE
    assert (first.root_id, first.parent_id) == ("r1", "r1")
    assert (second.root_id, second.parent_id) == ("first", "r1")


async def test_a_run_that_is_repeated_emits_the_same_events(make, exchange):
    """What follows keeps its run ids; the same data twice in one run is two events."""

    async def emits(**run):
        exchange.events.clear()
        context = make(**run)
        for topic, data in (("a", {"n": 1}), ("a", {"n": 1}), ("a", {"n": 2}), ("b", {"n": 1})):
            await context.emit(topic=topic, data=data)
        return [event.id for event in exchange.events]

    first = await emits()
    assert len(set(first)) == 4
    assert await emits(attempt=2) == first
    assert not {*first} & {*await emits(id="r2")}


async def test_no_emits_allows_every_topic(make, exchange):
    await make().emit(topic="anything")
    assert len(exchange.events) == 1


async def test_an_undeclared_topic_is_dropped_with_a_warning(make, exchange, caplog):
    """Motia's rule; the warning names the Step and the topic."""
    assert await make("declared").emit(topic="other") is False
    assert exchange.events == []
    assert caplog.records[0].levelno == logging.WARNING
    assert "'charge'" in caplog.text
    assert "'other'" in caplog.text


async def test_a_step_that_lists_triggers_sends_it_with_a_warning(make, exchange, caplog):
    """Motia 1.0 knows no forbidden topics."""
    assert await make("declared", lists_triggers=True).emit(topic="other") is True
    assert [event.topic for event in exchange.events] == ["other"]
    assert "Add 'other' to enqueues" in caplog.text
    with pytest.raises(UndeclaredTopicError):
        await make("declared", lists_triggers=True, strict=True).emit(topic="other")


async def test_a_step_that_lists_triggers_gets_state_as_it_is(make):
    context = make(lists_triggers=True)
    assert await context.state.get("orders", "1") is None
    await context.state.set("orders", "1", {"id": 1})
    assert "data" not in await context.state.get("orders", "1")
    classic = make()
    await classic.state.set("orders", "1", {"id": 1})
    assert "data" in await classic.state.get("orders", "1")


async def test_an_undeclared_topic_raises_where_the_setting_is_strict(make, exchange):
    context = make("declared", strict=True)
    with pytest.raises(UndeclaredTopicError, match="other") as caught:
        await context.emit(topic="other")
    assert caught.value.where == "steps/charge_step.py"
    await context.emit(topic="declared")
    assert len(exchange.events) == 1


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        (({"type": "old", "data": 1},), {}),
        (({"topic": ""},), {}),
        (({"topic": 7},), {}),
        (("order.created",), {}),
        ((), {"topic": "x" * 256}),
        ((), {"topic": "\ud800"}),
    ],
)
async def test_an_emit_without_a_usable_topic_says_how_to_write_it(make, exchange, args, kwargs):
    with pytest.raises(ConfigError) as caught:
        await make().emit(*args, **kwargs)
    assert caught.value.where == "steps/charge_step.py"
    assert "context.emit({'topic'" in caught.value.fix
    assert exchange.events == []


async def test_flows_can_not_be_changed_by_a_handler(make):
    context = make(flows=("orders",))
    context.flows.append("mine")
    assert context.flows == ["orders"]


async def test_a_context_has_the_streams_of_the_app(exchange):
    services = Services(emitter=exchange, state=MemoryState(), stream_names=frozenset({"orders"}))
    step = Step(name="s", file="s", language="python")
    context = Context(
        Run(id="r", step="s", trigger="http", input=None, trace=TRACE), step, services
    )
    context.streams.orders.set("g", "1", {"n": 1})
    await context.finish()
    assert await services.streams.get("orders", "g", "1") == {"n": 1, "id": "1"}


async def test_log_lines_carry_the_run(make, caplog):
    with caplog.at_level(logging.INFO):
        make(attempt=3).logger.info("Charged", {"amount": 5})
    (record,) = caplog.records
    assert (record.step, record.run_id, record.trace_id) == ("charge", "r1", TRACE.trace_id)
    assert (record.attempt, record.data) == (3, {"amount": 5})


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (({"topic": "a", "delay": 5, "priority": 7, "id": "k"},), {}),
        ((), {"topic": "a", "delay": 5, "priority": 7, "id": "k"}),
        (({"topic": "a", "delay": 1},), {"delay": 5, "priority": 7, "id": "k"}),
    ],
    ids=["dict", "keywords", "both"],
)
async def test_an_emit_takes_options_in_the_dict_or_beside_it(make, exchange, args, kwargs):
    assert await make().emit(*args, **kwargs) is True
    assert exchange.options == [EmitOptions(delay_seconds=5, priority=7, key="k")]
    assert exchange.events[0].priority == 7


async def test_an_option_that_can_not_be_used_names_the_step_and_the_topic(make, exchange):
    with pytest.raises(ConfigError, match="delay is -1") as caught:
        await make().emit(topic="a", delay=-1)
    assert (caught.value.where, "'a'" in caught.value.fix) == ("steps/charge_step.py", True)
    assert exchange.events == []


async def test_an_emit_of_a_route_is_bound_and_one_of_a_run_lasts_as_long_as_it(make, exchange):
    await make(trigger="http").emit(topic="a")
    await make().emit(topic="a")
    assert exchange.timeouts == [None, DEFAULT_VISIBILITY_SECONDS]
