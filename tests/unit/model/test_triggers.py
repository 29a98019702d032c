"""A config with a list of triggers, as in Motia 1.0, becomes one Step."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from motia_celery.model.kinds import lists_triggers
from motia_celery.model.reading import read_step
from motia_celery.model.retry import RetryPolicy
from motia_celery.model.step import (
    CronTrigger,
    Emit,
    EventTrigger,
    HttpTrigger,
    QueryParam,
    QueueOptions,
    StateTrigger,
    StreamTrigger,
)
from motia_celery.model.triggers import TriggersStep

PLACE = {"file": "steps/a_step.py", "path": "/app/steps/a_step.py"}
HTTP = {"type": "http", "method": "post", "path": "/a"}
QUEUE = {"type": "queue", "topic": "x"}
CRON = {"type": "cron", "expression": "0 0 9 * * * *"}


class Order(BaseModel):
    item: str


def read(*triggers, **more):
    return read_step({"name": "a", "triggers": list(triggers), **more}, **PLACE)


def step_of(*triggers, **more):
    step, problems = read(*triggers, **more)
    assert problems == ()
    return step


def test_one_step_has_every_trigger_of_the_list_in_its_order():
    step = step_of(CRON, HTTP, QUEUE, {"type": "queue", "topic": "y.*"})
    assert step.triggers == (
        CronTrigger(expression="0 0 9 * * * *"),
        HttpTrigger(method="POST", path="/a"),
        EventTrigger(topics=("x",)),
        EventTrigger(topics=("y.*",)),
    )
    assert step.topics == ("x", "y.*")


@pytest.mark.parametrize(
    "names",
    [
        ("bodySchema", "responseSchema", "queryParams"),
        ("body_schema", "response_schema", "query_params"),
    ],
)
def test_an_http_trigger_has_its_schemas_in_either_spelling(names):
    body, responses, params = names
    more = {body: Order, responses: {200: Order}, params: [{"name": "q", "description": "d"}]}
    (trigger,) = step_of(HTTP | more).triggers
    schema = Order.model_json_schema()
    assert (trigger.body_schema, trigger.response_schema) == (schema, {"200": schema})
    assert trigger.query_params == (QueryParam(name="q", description="d"),)


def test_api_and_event_are_other_words_for_http_and_queue():
    assert step_of(HTTP | {"type": "api"}, QUEUE | {"type": "event"}).triggers == (
        HttpTrigger(method="POST", path="/a"),
        EventTrigger(topics=("x",)),
    )


@pytest.mark.parametrize(
    "config",
    [
        {"type": "fifo", "maxRetries": 1, "visibilityTimeout": 60, "delaySeconds": 2},
        {"type": "fifo", "max_retries": 1, "visibility_timeout": 60, "delay_seconds": 2},
    ],
)
def test_the_config_of_a_queue_trigger_is_that_of_the_queue(config):
    step = step_of(QUEUE | {"config": {**config, "concurrency": 3}})
    assert step.queue == QueueOptions(
        type="fifo", visibility_timeout_seconds=60, delay_seconds=2, concurrency=3
    )
    assert step.retry == RetryPolicy(max_attempts=2)


def test_a_queue_trigger_says_how_long_a_failed_run_waits():
    config = {"backoffType": "fixed", "backoffDelayMs": 1500}
    retry = step_of(QUEUE | {"config": config}).retry
    assert (retry.backoff, retry.backoff_seconds, retry.max_attempts) == ("fixed", 1.5, 4)


def test_a_wait_longer_than_the_longest_one_is_kept():
    retry = step_of(QUEUE | {"config": {"backoff_delay_ms": 7_200_000}}).retry
    assert (retry.backoff_seconds, retry.backoff_cap_seconds) == (7200, 7200)


def test_the_retry_of_the_step_comes_before_that_of_its_queue():
    retry = step_of(QUEUE | {"config": {"maxRetries": 9}}, retry={"maxAttempts": 2}).retry
    assert retry.max_attempts == 2


def test_without_a_queue_there_is_one_attempt():
    assert step_of(HTTP, CRON).retry.max_attempts == 1


def test_queue_triggers_share_the_options_of_the_first_and_others_are_a_problem():
    slow = {"type": "queue", "topic": "y", "config": {"delaySeconds": 9}}
    step, (problem,) = read(QUEUE, slow)
    assert [t.queue.delay_seconds for t in step.events] == [0, 0]
    assert (problem.severity, problem.field) == ("warning", "triggers.1.config")
    assert step_of(slow, slow | {"topic": "z"}).queue.delay_seconds == 9


def test_input_schemas_belong_to_their_triggers():
    step = step_of(QUEUE | {"input": Order}, {"type": "queue", "topic": "y", "input": None})
    assert [t.input_schema for t in step.events] == [Order.model_json_schema(), None]


def test_enqueues_are_emits_and_the_virtual_ones_are_drawn():
    step = step_of(
        HTTP,
        enqueues=["x", {"topic": "y", "label": "l"}],
        virtualEnqueues=["z"],
        virtual_subscribes=["w"],
        flows=["f"],
    )
    assert step.emits == (Emit(topic="x"), Emit(topic="y", label="l"))
    assert step.virtual_emits == (Emit(topic="z"),)
    assert (step.virtual_subscribes, step.flows) == (("w",), ("f",))


def test_state_and_stream_triggers_are_read():
    stream = {"type": "stream", "streamName": "s", "groupId": "g", "item_id": "i"}
    assert step_of({"type": "state"}, stream).triggers == (
        StateTrigger(),
        StreamTrigger(stream="s", group="g", item="i"),
    )


def test_changes_are_tried_again_as_events_are():
    assert step_of({"type": "state"}).retry.max_attempts == 4
    assert step_of({"type": "state"}, retry={"maxAttempts": 2}).retry.max_attempts == 2
    once = QUEUE | {"config": {"maxRetries": 0}}
    assert step_of({"type": "state"}, once).retry.max_attempts == 1
    assert step_of(CRON).retry.max_attempts == 1


def test_conditions_and_middleware_are_functions_of_the_file():
    condition = {"condition": lambda data, context: True}
    step_of(HTTP | condition | {"middleware": [print]}, QUEUE | condition, CRON | condition)


@pytest.mark.parametrize(
    ("trigger", "field"),
    [
        ({"type": "ftp"}, "triggers.0"),
        ("x", "triggers.0"),
        ({"topic": "x"}, "triggers.0"),
        (HTTP | {"method": "FETCH"}, "triggers.0.method"),
        (HTTP | {"path": "a"}, "triggers.0.path"),
        (QUEUE | {"topic": "a*"}, "triggers.0.topic"),
        (QUEUE | {"config": {"backoffType": "steep"}}, "triggers.0.config.backoffType"),
        (CRON | {"expression": "0 0"}, "triggers.0.expression"),
        (CRON | {"timezone": "Mars/Base"}, "triggers.0.timezone"),
        ({"type": "stream"}, "triggers.0.streamName"),
    ],
)
def test_a_trigger_that_can_not_be_used_is_an_error_with_its_place(trigger, field):
    step, (problem,) = read(trigger)
    assert step is None
    assert (problem.severity, problem.field) == ("error", field)


def test_an_enqueued_topic_that_can_not_be_emitted_is_an_error():
    step, (problem,) = read(HTTP, enqueues=[""])
    assert (step, problem.field) == (None, "enqueues")


def test_unknown_keys_are_named_with_their_trigger():
    _, (problem,) = read(HTTP, QUEUE | {"topics": ["y"]})
    assert (problem.field, problem.severity) == ("triggers.1.topics", "warning")


def test_the_typed_object_is_the_same_as_the_dict():
    made = TriggersStep(name="a", triggers=[HTTP, QUEUE], enqueues=["y"])
    assert read_step(made, **PLACE) == read(HTTP, QUEUE, enqueues=["y"])
    assert lists_triggers(made)


def test_a_type_comes_before_triggers():
    config = {"type": "noop", "name": "a", "triggers": []}
    assert not lists_triggers(config)
    _, (problem,) = read_step(config, **PLACE)
    assert problem.field == "triggers"


@pytest.mark.parametrize("language", ["typescript", "javascript"])
def test_lists_of_triggers_are_the_same_in_every_language(language):
    step, problems = read_step({"name": "a", "triggers": [HTTP]}, **PLACE, language=language)
    assert (step.language, len(step.triggers), problems) == (language, 1, ())


def test_a_run_is_of_the_first_trigger_of_its_kind_that_hears_its_topic():
    step = step_of(CRON, QUEUE, HTTP, {"type": "queue", "topic": "y.*"})
    assert step.trigger_index("event", "y.1") == 3
    assert step.trigger_index("event", "x") == 1
    assert step.trigger_index("event", "sent to the queue itself") == 1
    assert (step.trigger_index("cron"), step.trigger_index("http")) == (0, 2)
    assert step_of(HTTP).trigger_index("cron") is None
