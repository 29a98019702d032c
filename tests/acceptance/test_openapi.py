"""The routes of the example app, asked with whatever its own OpenAPI document allows or forbids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from acceptance.conftest import Example, free_port, wait_for_web
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy
from integration.apps import Process
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

#: A route with a part of everything that the document can describe.
FORM = """
config = {
    "type": "api",
    "name": "form",
    "method": "PUT",
    "path": "/forms/:kind/:name?",
    "queryParams": [{"name": "page", "description": "Which page"}],
    "bodySchema": {
        "type": "object",
        "required": ["rows"],
        "additionalProperties": False,
        "properties": {
            "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}},
            "when": {"type": ["string", "null"], "format": "date-time"},
        },
        "$defs": {
            "row": {
                "type": "object",
                "required": ["n"],
                "properties": {
                    "n": {"type": "number", "exclusiveMinimum": 0},
                    "text": {"type": "string", "maxLength": 5},
                    "more": {"type": "array", "items": {"$ref": "#/$defs/row"}},
                },
            }
        },
    },
    "responseSchema": {
        200: {"type": "object", "required": ["rows"], "properties": {"rows": {"type": "integer"}}}
    },
    "validateBody": True,
    "emits": ["form.filled"],
}


async def handler(req, context):
    await context.state.set(req["pathParams"]["kind"], req["pathParams"].get("name", ""), req)
    await context.emit({"topic": "form.filled", "data": req["body"]})
    context.logger.info("Filled", req["queryParams"])
    return {"status": 200, "body": {"rows": len(req["body"]["rows"])}}
"""
#: Long enough for any machine; schemathesis gives up after ten seconds.
REQUEST_SECONDS = 90
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    positive_data_acceptance,
    negative_data_rejection,
]


@pytest.fixture
def address(make_example: Any, redis_url: str, name_prefix: str) -> Iterator[str]:
    port = free_port()
    example: Example = make_example(
        MOTIA_REDIS_URL=redis_url, MOTIA_PREFIX=name_prefix, PORT=str(port), MOTIA_HOST="127.0.0.1"
    )
    (example.folder / "steps" / "form_step.py").write_text(FORM)
    web: Process = example.start("-m", "motia_celery", "web")
    address = f"http://127.0.0.1:{port}"
    wait_for_web(address, web)
    yield address
    assert web.running
    assert httpx.get(f"{address}/health/live").status_code == 200
    assert "Traceback" not in web.output


def test_no_request_makes_the_app_fail(address: str) -> None:
    """What the document allows is taken, what it forbids is refused; always the same examples."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    assert isinstance(schema, OpenApiSchema)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert {operation.label for operation in operations} == {
        "POST /orders",
        "GET /orders/{id}",
        "PUT /forms/{kind}/{name}",
    }
    with requests.Session() as session:
        for operation in operations:
            ask_for(operation.as_strategy(GenerationMode.POSITIVE), session)
            if operation.body:  # of a path's text nothing is forbidden
                ask_for(operation.as_strategy(GenerationMode.NEGATIVE), session)


def ask_for(cases: SearchStrategy[Any], session: requests.Session) -> None:
    @settings(
        max_examples=30,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # the first fault is told as it is, not asked for again
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, session=session, timeout=REQUEST_SECONDS)

    ask()
