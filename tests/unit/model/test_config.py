"""A config, as a dict or a typed object, becomes a Step and a list of what is wrong in it."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from motia_celery import ApiStep, CronStep, EventStep, NoopStep, StreamConfig
from motia_celery.model.reading import read_step, read_stream
from motia_celery.model.retry import RetryPolicy
from motia_celery.model.step import (
    CronTrigger,
    Emit,
    EventTrigger,
    HttpTrigger,
    QueryParam,
    QueueOptions,
    Rate,
    step_id,
)

PLACE = {"file": "steps/a_step.py", "path": "/app/steps/a_step.py"}
API = {"type": "api", "name": "a", "path": "/a", "method": "POST"}
EVENT = {"type": "event", "name": "a", "subscribes": ["x"]}
CRON = {"type": "cron", "name": "a", "cron": "0 9 * * *"}


class Order(BaseModel):
    item: str


class Unschemable(BaseModel):
    """A model without a JSON Schema."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema, handler):
        raise KeyError("nobody knows")


ISOLATED = "infrastructure.handler.isolated"


def read(raw):
    return read_step(raw, **PLACE)


def step_of(raw):
    step, problems = read(raw)
    assert problems == ()
    return step


def fault_of(raw):
    step, problems = read(raw)
    assert step is None
    (problem,) = problems
    assert problem.severity == "error"
    assert problem.file == "steps/a_step.py"
    assert problem.fix
    return problem


def test_an_api_config_is_one_http_trigger():
    step = step_of(
        {
            **API,
            "method": "post",
            "description": "Says a",
            "emits": ["x", {"topic": "y", "label": "sometimes", "conditional": True}],
            "flows": ["f"],
            "queryParams": [{"name": "page", "description": "Which page"}],
            "validateBody": True,
            "virtualEmits": ["mail"],
            "virtualSubscribes": ["tick"],
        }
    )
    (trigger,) = step.triggers
    assert trigger == HttpTrigger(
        method="POST",
        path="/a",
        query_params=(QueryParam(name="page", description="Which page"),),
        validate_body=True,
    )
    assert step.emits == (Emit(topic="x"), Emit(topic="y", label="sometimes", conditional=True))
    assert (step.flows, step.virtual_subscribes) == (("f",), ("tick",))
    assert step.virtual_emits == (Emit(topic="mail"),)
    assert step.id == step_id("/app/steps/a_step.py")


def test_the_infrastructure_of_an_event_step():
    """maxRetries counts the attempts after the first one."""
    step = step_of(
        {
            **EVENT,
            "infrastructure": {
                "handler": {"timeout": 10, "ram": 512, "cpu": 0.25},
                "queue": {"maxRetries": 4, "visibilityTimeout": 20, "delaySeconds": 5},
            },
        }
    )
    assert (step.retry.max_attempts, step.timeout_seconds) == (5, 10)
    assert step.events[0].queue.visibility_timeout_seconds == 20
    assert step.events[0].queue.delay_seconds == 5


def test_the_defaults_are_motias():
    step = step_of(EVENT)
    assert step.triggers == (EventTrigger(topics=("x",)),)
    assert (step.retry.max_attempts, step.timeout_seconds) == (4, None)
    assert step.events[0].queue.visibility_timeout_seconds == 900


@pytest.mark.parametrize("raw", [API, EVENT, CRON])
@pytest.mark.parametrize("value", [True, False, None])
def test_any_step_that_runs_may_be_isolated(raw, value):
    """None, as an absent word, leaves it to the app's setting."""
    assert step_of(raw).isolated is None
    step = step_of({**raw, "infrastructure": {"handler": {"isolated": value}}})
    assert step.isolated is value


@pytest.mark.parametrize("raw", [API, CRON])
def test_only_events_are_tried_again(raw):
    assert step_of(raw).retry.max_attempts == 1


def test_a_cron_config_is_one_cron_trigger():
    assert step_of({**CRON, "timezone": "Europe/Rome"}).triggers == (
        CronTrigger(expression="0 9 * * *", timezone="Europe/Rome"),
    )


def test_a_noop_has_no_trigger():
    raw = {"type": "noop", "name": "a", "virtualEmits": ["x"], "virtualSubscribes": ["y"]}
    assert step_of(raw).triggers == ()


def test_missing_emits_is_an_empty_list_which_allows_every_topic():
    step = step_of(EVENT)
    assert step.emits == ()
    assert step.may_emit("anything")


def test_a_list_of_emits_allows_its_topics_alone():
    step = step_of({**EVENT, "emits": ["x", {"topic": "y"}]})
    assert [step.may_emit(topic) for topic in ("x", "y", "z")] == [True, True, False]


def test_typed_objects_take_snake_case_and_are_the_same_step():
    typed = [
        ApiStep(
            name="a", path="/a", method="POST", body_schema=Order, response_schema={200: Order}
        ),
        EventStep(name="a", subscribes=["x"], virtual_emits=["y"], emits=["z", {"topic": "q"}]),
        CronStep(name="a", cron="0 9 * * *", virtual_subscribes=["y"]),
        NoopStep(name="a"),
    ]
    dicts = [
        {**API, "bodySchema": Order, "responseSchema": {"200": Order}},
        {**EVENT, "virtualEmits": ["y"], "emits": ["z", {"topic": "q"}]},
        {**CRON, "virtualSubscribes": ["y"]},
        {"type": "noop", "name": "a"},
    ]
    assert [step_of(config) for config in typed] == [step_of(config) for config in dicts]


def test_a_dict_may_use_snake_case_too():
    assert step_of({**API, "body_schema": Order}) == step_of({**API, "bodySchema": Order})


def test_schemas_are_pydantic_classes_or_json_schema():
    body = step_of({**API, "bodySchema": Order}).http[0].body_schema
    assert body == Order.model_json_schema()
    given = {"type": "array", "items": {"type": "string"}}
    assert step_of({**API, "bodySchema": given}).http[0].body_schema == given
    assert step_of({**EVENT, "input": Order}).events[0].input_schema == body
    assert step_of({**EVENT, "input": None}).events[0].input_schema is None


def test_status_codes_may_be_ints():
    responses = step_of({**API, "responseSchema": {200: Order, "404": {}}}).http[0].response_schema
    assert responses == {"200": Order.model_json_schema(), "404": {}}


def test_a_schema_is_copied_so_that_the_plan_stays_as_it_was():
    given = {"type": "object", "properties": {"a": {"type": "string"}}}
    step = step_of({**API, "bodySchema": given})
    given["properties"]["a"]["type"] = "number"
    assert step.http[0].body_schema["properties"]["a"] == {"type": "string"}


@pytest.mark.parametrize(
    "schema",
    ["order", 7, Unschemable, {"type": "object", "properties": {"a": Order}}, {"enum": [{1, 2}]}],
)
def test_a_schema_that_is_no_json_is_the_files_problem_and_raises_nothing(schema):
    assert fault_of({**API, "bodySchema": schema}).field == "bodySchema"


@pytest.mark.parametrize(
    ("raw", "field", "words"),
    [
        ({**API, "method": "FETCH"}, "method", "GET, POST"),
        ({**API, "path": "orders"}, "path", "starts with '/'"),
        ({**API, "path": "/orders/{id}"}, "path", "':id'"),
        ({**API, "name": ""}, "name", "at least 1"),
        ({"type": "api", "name": "a", "path": "/a"}, "method", "required"),
        ({**API, "responseSchema": [1]}, "responseSchema", "mapping"),
        ({**EVENT, "subscribes": ["or*der"]}, "subscribes", "whole words"),
        ({**EVENT, "subscribes": []}, "subscribes", "at least 1"),
        ({**EVENT, "subscribes": "x"}, "subscribes", "valid list"),
        ({**EVENT, "subscribes": ["t" * 256]}, "subscribes", "255 bytes"),
        ({**EVENT, "emits": [""]}, "emits", "empty"),
        ({**EVENT, "emits": ["ok", {"type": "x"}]}, "emits.1.topic", "required"),
        ({**EVENT, "emits": [7]}, "emits.0", "dictionary"),
        ({**CRON, "cron": "61 * * * *"}, "cron", "61"),
        ({**CRON, "timezone": "Mars/Base"}, "timezone", "Mars/Base"),
        (
            {**EVENT, "infrastructure": {"queue": {"maxRetries": -1}}},
            "infrastructure.queue.maxRetries",
            "greater",
        ),
        (
            {**EVENT, "infrastructure": {"handler": {"timeout": float("nan")}}},
            "infrastructure.handler.timeout",
            "number",
        ),
        *(
            ({**kind, "infrastructure": {"handler": {"isolated": value}}}, ISOLATED, "boolean")
            for kind in (API, EVENT, CRON)
            for value in ("yes", 1, "true", [True])
        ),
    ],
)
def test_a_bad_field_is_named_with_what_is_wrong(raw, field, words):
    problem = fault_of(raw)
    assert problem.field == field
    assert f"'{field}'" in problem.what
    assert words in problem.what


@pytest.mark.parametrize("raw", [None, 7, "config", ["api"], Order, StreamConfig(name="s")])
def test_a_config_of_another_type_is_named(raw):
    assert type(raw).__name__ in fault_of(raw).what


@pytest.mark.parametrize("kind", [None, "", "API", "queue", ["api"], 7])
def test_an_unknown_type_lists_the_known_ones(kind):
    assert "api, event, cron, noop" in fault_of({"type": kind, "name": "a"}).fix


def test_keys_that_are_no_text_are_a_problem():
    step, problems = read({**API, 7: "seven"})
    assert step is None
    assert problems


@pytest.mark.parametrize(
    ("raw", "key", "known"),
    [
        ({**API, "emitts": ["x"]}, "emitts", "emits"),
        ({**API, "infrastructure": {"queue": {}}}, "infrastructure.queue", "handler"),
        ({**EVENT, "infrastructure": {"qeue": {}}}, "infrastructure.qeue", "queue"),
        (
            {**EVENT, "infrastructure": {"queue": {"retries": 3}}},
            "infrastructure.queue.retries",
            "maxRetries",
        ),
        ({**EVENT, "emits": ["a", {"topic": "b", "tag": "c"}]}, "emits.1.tag", "conditional"),
        (
            {**API, "queryParams": [{"name": "a", "type": "int"}]},
            "queryParams.0.type",
            "description",
        ),
        (EventStep(name="a", subscribes=["x"], suscribes=["y"]), "suscribes", "subscribes"),
    ],
)
def test_unknown_keys_at_any_depth_are_warned_of_and_the_step_runs(raw, key, known):
    """The warning names the key with its path, and the keys that are known there."""
    step, (problem,) = read(raw)
    assert step is not None
    assert problem.severity == "warning"
    assert f"'{key}'" in problem.what
    assert known in problem.fix
    assert problem.field == key


def test_the_middleware_of_an_event_step_is_no_unknown_key():
    """It runs, as in Motia."""
    step_of({**EVENT, "middleware": [print]})


def test_marks_of_motias_own_loader_are_no_unknown_keys():
    step_of({**API, "__motia_hasCanAccess": True})


def test_a_stream_is_read_from_a_dict_or_a_typed_object():
    raw = {"name": "chat", "schema": Order, "baseConfig": {"storageType": "default"}}
    expected, problems = read_stream(raw, file="steps/chat_stream.py")
    assert problems == ()
    assert expected.schema == Order.model_json_schema()
    assert not expected.has_access_rule
    typed = StreamConfig(name="chat", schema=Order, base_config={"storageType": "default"})
    assert read_stream(typed, file="steps/chat_stream.py") == (expected, ())
    other = StreamConfig(name="chat", stream_schema=Order)  # Motia 1.0's name
    assert read_stream(other, file="steps/chat_stream.py") == (expected, ())


def test_a_stream_may_have_an_access_rule():
    raw = {"name": "chat", "canAccess": lambda subscription, auth: True}
    stream, _ = read_stream(raw, file="s")
    assert stream.has_access_rule


@pytest.mark.parametrize("raw", [None, {}, {"name": ""}, {"name": 1}, {"name": "a", "schema": 7}])
def test_a_bad_stream_is_a_problem(raw):
    stream, problems = read_stream(raw, file="s")
    assert stream is None
    assert problems[0].severity == "error"


def test_a_step_is_json_ready():
    json.dumps(step_of({**API, "bodySchema": Order}).http[0].body_schema)


@pytest.mark.parametrize(
    ("base", "asked"),
    [({"storageType": "custom"}, "'custom'"), ("file", "'file'"), ({"storageType": 5}, "5")],
)
def test_another_storage_than_the_default_is_warned_of(base, asked):
    raw = {"name": "chat", "schema": {}, "baseConfig": base}
    stream, (problem,) = read_stream(raw, file="s")
    assert stream
    assert (problem.severity, problem.field) == ("warning", "baseConfig")
    assert asked in problem.what


@pytest.mark.parametrize("base", [None, {}, {"storageType": "default"}])
def test_the_default_storage_is_no_problem(base):
    raw = {"name": "chat", "baseConfig": base, "__motia_hasCanAccess": True}
    stream, problems = read_stream(raw, file="s")
    assert stream
    assert problems == ()


def test_retry_is_read_with_classes_or_names():
    retry = {"maxAttempts": 7, "backoff": [1, 5.5], "on": [OSError, "TypeError"], "never": ["X"]}
    policy = step_of({**EVENT, "retry": retry}).retry
    assert policy == RetryPolicy(
        max_attempts=7,
        backoff=(1, 5.5),
        backoff_cap_seconds=5.5,
        only=("OSError", "TypeError"),
        never=("X",),
    )


def test_max_retries_counts_where_retry_names_no_attempts():
    raw = {**EVENT, "retry": {"backoff": "fixed"}, "infrastructure": {"queue": {"maxRetries": 9}}}
    assert step_of(raw).retry == RetryPolicy(max_attempts=10, backoff="fixed")


def test_a_cron_run_has_one_attempt_unless_retry_says_more():
    cron = {"type": "cron", "name": "a", "cron": "@daily"}
    assert step_of(cron).retry.max_attempts == 1
    assert step_of({**cron, "retry": {"maxAttempts": 3}}).retry.max_attempts == 3


@pytest.mark.parametrize("jitter, part", [(True, 0.5), (False, 0), (0.2, 0.2)])
def test_jitter_is_a_switch_or_a_part(jitter, part):
    assert step_of({**EVENT, "retry": {"jitter": jitter}}).retry.jitter == part


@pytest.mark.parametrize(
    ("retry", "field"),
    [
        ({"maxAttempts": 0}, "retry.maxAttempts"),
        ({"backoff": []}, "retry.backoff"),
        ({"backoff": "linear"}, "retry.backoff"),
        ({"delaySeconds": -1}, "retry.delaySeconds"),
        ({"jitter": 2}, "retry.jitter"),
        ({"on": "ValueError"}, "retry.on"),
    ],
)
def test_a_bad_retry_names_its_field(retry, field):
    assert fault_of({**EVENT, "retry": retry}).field.startswith(field)


def test_a_request_may_have_a_time_limit():
    step = step_of({**API, "infrastructure": {"handler": {"timeout": 3}}})
    assert step.timeout_seconds == 3
    assert step.retry.max_attempts == 1


def test_the_options_of_a_queue_are_read():
    queue = {
        "type": "fifo",
        "concurrency": 3,
        "concurrencyKey": "customer.id",
        "rateLimit": "100/m",
        "priority": 9,
        "partitions": 4,
    }
    step = step_of({**EVENT, "infrastructure": {"queue": queue}, "once": True})
    assert step.once
    assert step.queue == QueueOptions(
        type="fifo",
        concurrency=3,
        concurrency_key="customer.id",
        rate=Rate(count=100, seconds=60),
        priority=9,
        partitions=4,
    )


@pytest.mark.parametrize(
    ("text", "rate"), [("5", Rate(count=5, seconds=1)), ("7/h", Rate(count=7, seconds=3600))]
)
def test_a_rate_is_written_as_in_celery(text, rate):
    assert Rate.parse(text) == rate


@pytest.mark.parametrize("rate", ["", "0/s", "-1/s", "many", "5/y", "1.5/s"])
def test_a_bad_rate_says_how_to_write_one(rate):
    assert "100/m" in fault_of({**EVENT, "infrastructure": {"queue": {"rateLimit": rate}}}).what


def test_a_concurrency_key_needs_a_concurrency():
    fault = fault_of({**EVENT, "infrastructure": {"queue": {"concurrencyKey": "id"}}})
    assert "needs a concurrency" in fault.what
