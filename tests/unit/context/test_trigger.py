"""What a context tells of its run's trigger."""

from __future__ import annotations

import asyncio

import pytest

from motia_celery.context import Context, Services
from motia_celery.context.request import Request
from motia_celery.errors import ConfigError
from motia_celery.model.changed import change_input, change_topic
from motia_celery.model.run import Run
from motia_celery.model.step import (
    CronTrigger,
    EventTrigger,
    HttpTrigger,
    StateTrigger,
    Step,
    StreamTrigger,
)
from motia_celery.model.trace import Trace
from motia_celery.stores.memory_state import MemoryState

STEP = Step(
    name="a",
    file="steps/a_step.py",
    language="python",
    triggers=(
        EventTrigger(topics=("x",)),
        HttpTrigger(method="GET", path="/a/:id"),
        HttpTrigger(method="GET", path="/b"),
        CronTrigger(expression="0 0 9 * * *"),
        EventTrigger(topics=("y.*",)),
        StateTrigger(),
        StreamTrigger(stream="s"),
        StreamTrigger(stream="t"),
    ),
)
REQUEST = Request({"body": {"n": 1}})


def context_of(trigger, given=None, **more):
    run = Run(id="r", step="a", trigger=trigger, input=given, trace=Trace.start(), **more)
    return Context(run, STEP, Services(emitter=None, state=MemoryState()))


async def test_a_request_is_told_with_its_route():
    trigger = context_of("http", REQUEST, trigger_index=2).trigger
    assert (trigger.type, trigger.index, trigger.method, trigger.path) == ("http", 2, "GET", "/b")


async def test_an_event_is_told_with_its_topic():
    trigger = context_of("event", 1, topic="y.1").trigger
    assert (trigger.type, trigger.index, trigger.topic, trigger.path) == ("queue", 4, "y.1", None)


async def test_a_tick_is_told_with_its_expression():
    trigger = context_of("cron").trigger
    assert (trigger.type, trigger.index, trigger.expression) == ("cron", 3, "0 0 9 * * *")


async def test_a_change_is_told_with_its_place_in_the_config():
    context = context_of("stream", {"type": "stream"}, topic=change_topic("stream", 7))
    trigger = context.trigger
    assert (trigger.type, trigger.index, trigger.topic) == ("stream", 7, None)
    assert (context.topic, context.get_data()) == (None, {"type": "stream"})


async def test_a_change_for_a_trigger_that_is_elsewhere_now_is_the_first_of_its_kind():
    assert context_of("stream", topic=change_topic("stream", 5)).trigger.index == 6
    assert context_of("state", topic=change_topic("state", 99)).trigger.index == 5


def test_an_event_starts_what_its_topic_says():
    kinds = {"": "cron", "x": "event", "motia.state.5": "state", "motia.stream.99": "stream"}
    assert {topic: STEP.started_by(topic) for topic in kinds} == kinds
    bare = Step(name="b", file="steps/b_step.py", language="python")
    assert [bare.started_by(topic) for topic in kinds] == ["event"] * 4


def test_the_input_of_a_change_has_its_keys_as_attributes():
    state = change_input("state", {"group_id": "g", "old_value": None})
    assert (state.group_id, state.old_value, state["group_id"]) == ("g", None, "g")
    event = {"type": "create", "data": {"n": 1}}
    stream = change_input("stream", {"streamName": "s", "groupId": "g", "event": event})
    assert (stream.stream_name, stream.group_id, stream.groupId) == ("s", "g", "g")
    assert (stream.event.type, stream.event["data"]) == ("create", {"n": 1})
    with pytest.raises(AttributeError):
        _ = stream.other
    assert change_input("event", {"a": 1}) == {"a": 1}
    assert change_input("state", [1]) == [1]


@pytest.mark.parametrize(
    ("trigger", "true"),
    [
        ("http", {"http", "api"}),
        ("event", {"queue"}),
        ("cron", {"cron"}),
        ("state", {"state"}),
        ("stream", {"stream"}),
    ],
)
async def test_a_context_can_be_asked_for_its_kind(trigger, true):
    context = context_of(trigger)
    kinds = ("http", "api", "queue", "cron", "state", "stream")
    assert {kind for kind in kinds if getattr(context, f"is_{kind}")()} == true


async def test_the_data_is_the_body_or_the_event_or_nothing():
    assert context_of("http", REQUEST).get_data() == {"n": 1}
    assert context_of("event", [1]).getData() == [1]
    assert context_of("cron").get_data() is None


FUNCTIONS = {
    "http": lambda request, context: ("http", request.body, context.run_id),
    "queue": lambda data: ("queue", data),
    "cron": lambda anything: ("cron", anything.run_id),
}


async def test_match_calls_the_function_of_the_trigger_with_what_it_takes():
    assert await context_of("http", REQUEST).match(FUNCTIONS) == ("http", {"n": 1}, "r")
    assert await context_of("event", 7).match(FUNCTIONS) == ("queue", 7)
    assert await context_of("cron").match(FUNCTIONS) == ("cron", "r")


async def test_match_awaits_what_is_to_be_awaited():
    async def slow(data):
        await asyncio.sleep(0)
        return data

    context = context_of("event", 7)
    assert await context.match({"queue": slow}) == 7
    assert await asyncio.to_thread(context.match, {"queue": slow}) == 7


async def test_in_a_thread_match_gives_the_value_itself():
    assert await asyncio.to_thread(context_of("event", 7).match, FUNCTIONS) == ("queue", 7)


async def test_default_is_for_what_is_not_named():
    assert await context_of("event", 7).match({"default": lambda data: data}) == 7
    assert await context_of("http", REQUEST).match({"api": lambda: 8}) == 8
    with pytest.raises(ConfigError, match="no function for cron"):
        context_of("cron").match({"http": print})
