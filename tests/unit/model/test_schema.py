"""The JSON Schema of dict configs says what reading a config says."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from motia_celery.model.reading import read_step
from motia_celery.model.schema import config_schema

REPOSITORY = Path(__file__).parents[3]
VALIDATOR = jsonschema_rs.validator_for(config_schema())

COMMON = {"type", "name", "description", "flows", "virtualEmits", "virtualSubscribes"}
RUNNING = COMMON | {"emits", "includeFiles", "infrastructure"}
#: Motia's fields, and ours.
FIELDS = {
    "ApiStep": RUNNING
    | {"path", "method", "middleware", "bodySchema", "responseSchema", "queryParams"}
    | {"validateBody"},
    "EventStep": RUNNING | {"subscribes", "input", "middleware"} | {"retry", "once", "eventSchema"},
    "CronStep": RUNNING | {"cron"} | {"timezone", "retry"},
    "NoopStep": COMMON,
    "EmitConfig": {"topic", "label", "conditional"},
    "QueryParamConfig": {"name", "description"},
    "HandlerConfig": {"ram", "timeout", "cpu"} | {"isolated"},
    "QueueConfig": {"type", "maxRetries", "visibilityTimeout", "delaySeconds", "concurrency"}
    | {"concurrencyKey", "rateLimit", "priority", "partitions"},
    "HandlerInfrastructureConfig": {"handler"},
    "InfrastructureConfig": {"handler", "queue"},
    "RetryConfig": {"maxAttempts", "backoff", "delaySeconds", "maxDelaySeconds", "jitter"}
    | {"on", "never"},
}

API = {"type": "api", "name": "a", "path": "/a", "method": "GET"}
EVENT = {"type": "event", "name": "e", "subscribes": ["t"]}
CRON = {"type": "cron", "name": "c", "cron": "* * * * *"}

GOOD: list[dict[str, Any]] = [
    API,
    {**API, "emits": ["a", {"topic": "b", "conditional": True}], "bodySchema": {"type": "object"}},
    {**API, "responseSchema": {"200": {}}, "queryParams": [{"name": "q", "description": ""}]},
    {**API, "infrastructure": None, "middleware": [None], "description": None},
    EVENT,
    {**EVENT, "infrastructure": {"queue": {"type": "fifo", "maxRetries": 0}, "handler": {}}},
    {**EVENT, "retry": {"backoff": [1, 2.5], "jitter": False, "on": ["ValueError"]}, "once": True},
    {**EVENT, "input": None, "eventSchema": "refuse"},
    {**CRON, "timezone": "UTC", "retry": {"maxAttempts": 3, "backoff": "fixed"}},
    {"type": "noop", "name": "n", "virtualEmits": ["x"], "virtualSubscribes": []},
]
BAD: list[dict[str, Any]] = [
    {},
    {**API, "type": "http"},
    {**API, "method": "FETCH"},
    {**API, "name": ""},
    {**API, "emits": [{"label": "no topic"}]},
    {"type": "api", "name": "a", "method": "GET"},
    {**EVENT, "subscribes": []},
    {**EVENT, "subscribe": ["t"]},
    {**EVENT, "infrastructure": {"queue": {"type": "lifo"}}},
    {**EVENT, "infrastructure": {"queue": {"delaySeconds": -1}}},
    {**EVENT, "retry": {"backoff": "slow"}},
    {**EVENT, "retry": {"jitter": 2}},
    {**CRON, "subscribes": ["t"]},
]


def problems(config: dict[str, Any]) -> tuple[Any, ...]:
    return read_step(config, file="steps/a_step.py", path="/p/steps/a_step.py")[1]


def test_it_has_the_contracts_fields_and_ours() -> None:
    found = {name: set(part["properties"]) for name, part in config_schema()["$defs"].items()}
    assert found == FIELDS


@pytest.mark.parametrize("config", GOOD, ids=str)
def test_what_can_be_read_fits(config: dict[str, Any]) -> None:
    assert problems(config) == ()
    assert VALIDATOR.is_valid(config)


@pytest.mark.parametrize("config", BAD, ids=str)
def test_what_has_a_problem_does_not(config: dict[str, Any]) -> None:
    assert problems(config)
    assert not VALIDATOR.is_valid(config)


def test_the_published_file_is_what_the_code_says() -> None:
    file = REPOSITORY / "docs" / "step-config.schema.json"
    assert json.loads(file.read_text()) == config_schema(), (
        "Type: motia-celery generate schema > docs/step-config.schema.json"
    )


def test_the_examples_fit() -> None:
    found = 0
    for file in (REPOSITORY / "steps").rglob("*_step.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
                try:
                    config = ast.literal_eval(node.value)
                except ValueError:  # it names a class or a function
                    continue
                VALIDATOR.validate(config)
                found += 1
    assert found
