"""Rules of the web app: which route answers, and with what."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from unit.run.web_apps import (
    JSON_500,
    TRACEPARENT,
    Runs,
    api,
    app_of,
    ask,
    echo,
)

from motia_celery.model.run import Failure, Run, RunError
from motia_celery.model.step import EventTrigger, HttpTrigger, Step

# --- which route answers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "step", "params"),
    [
        ("/users/me", "GET /users/me", {}),
        ("/Users/ME/", "GET /users/me", {}),
        ("/users/7", r"GET /users/:id(\d+)", {"id": "7"}),
        ("/users/ada", "GET /users/:name", {"name": "ada"}),
        ("/users", "GET /users/:id?", {}),
        ("/users/a/b", "GET /users/*", {"0": "a/b"}),
    ],
)
async def test_the_most_specific_route_answers(path: str, step: str, params: Any) -> None:
    patterns = ["/users/*", "/users/:id?", "/users/:name", r"/users/:id(\d+)", "/users/me"]
    app = app_of(*(api(pattern, "GET") for pattern in patterns), runs=Runs(echo))
    assert (await ask(app, "GET", path)).json() == {"step": step, "params": params}


async def test_an_unknown_path_is_404_as_json() -> None:
    response = await ask(app_of(api("/x")), "GET", "/y")
    assert (response.status_code, response.json()) == (404, {"error": "Not Found"})


async def test_another_method_of_a_known_path_is_405_with_allow() -> None:
    app = app_of(api("/x", "GET"), api("/x", "POST"), api("/:any", "DELETE"))
    response = await ask(app, "PATCH", "/x")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, POST, DELETE, OPTIONS, HEAD"
    assert response.json() == {"error": "Method Not Allowed"}


async def test_head_is_answered_by_the_get_route_without_its_body() -> None:
    runs = Runs()
    response = await ask(app_of(api("/x", "GET"), runs=runs), "HEAD", "/x")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == "11"
    assert runs.request.method == "HEAD"


async def test_a_head_step_goes_before_the_get_step() -> None:
    runs = Runs()
    await ask(app_of(api("/x", "GET"), api("/x", "HEAD"), runs=runs), "HEAD", "/x")
    assert runs.seen[0].step == "HEAD /x"


async def test_a_malformed_path_is_400() -> None:
    assert (await ask(app_of(api("/:x", "GET")), "GET", "/%ff")).status_code == 400


async def test_a_catch_all_step_leaves_the_frameworks_own_paths_alone() -> None:
    app = app_of(api("*", "GET"))
    assert (await ask(app, "GET", "/health/live")).json() == {"status": "live"}
    assert "openapi" in (await ask(app, "GET", "/openapi.json")).json()
    assert (await ask(app, "GET", "/__workbench")).status_code == 404
    assert (await ask(app, "GET", "/else")).json() == {"ok": True}


async def test_a_step_may_have_docs_for_itself() -> None:
    app = app_of(api("/docs", "GET"))
    assert (await ask(app, "GET", "/docs")).json() == {"ok": True}


async def test_routes_work_below_a_root_path() -> None:
    runs = Runs(echo)
    app = app_of(api("/users/:id", "GET"), runs=runs)
    transport = httpx.ASGITransport(app, root_path="/sub")
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.get("/sub/users/a%2Fb")
    assert response.json()["params"] == {"id": "a/b"}


# --- answers and failures -------------------------------------------------------------------


async def test_the_response_is_sent_as_the_handler_gave_it() -> None:
    answer = {"status": 201, "body": "hi", "headers": {"Set-Cookie": ["a=1", "b=2"]}}
    response = await ask(app_of(api("/x"), runs=Runs(answer)), "POST", "/x")
    assert (response.status_code, response.text) == (201, "hi")
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.headers["content-type"] == "text/html; charset=utf-8"


def raises(run: Run) -> Any:
    raise ValueError("secret detail")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"body": 1},
        {"status": 200, "headers": {"x": "a\r\nb: c"}},
        Failure(RunError("KeyError", "'name'")),
        Failure(RunError("EventDataError", "the data can not be sent as JSON.")),
        raises,
    ],
)
async def test_whatever_goes_wrong_in_a_handler_is_motias_500(
    answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    response = await ask(app_of(api("/x", name="Buy"), runs=Runs(answer)), "POST", "/x")
    assert (response.status_code, response.content) == (500, b'{"error":"Internal server error"}')
    record = caplog.records[-1]
    assert record.name == "motia_celery.web"
    assert (record.action, record.step) == ("web.request_failed", "Buy")  # type: ignore[attr-defined]
    assert record.trace_id == response.headers["x-trace-id"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("error_type", "status", "error"),
    [
        ("RunTimeoutError", 504, "Gateway Timeout"),
        ("EmitError", 503, "Service Unavailable"),
        ("BrokerUnavailableError", 503, "Service Unavailable"),
        ("StoreUnavailableError", 503, "Service Unavailable"),
    ],
)
async def test_failures_that_are_not_the_handlers_have_their_own_status(
    error_type: str, status: int, error: str
) -> None:
    answer = Failure(RunError(error_type, "amqp://user:secret@host"))
    response = await ask(app_of(api("/x"), runs=Runs(answer)), "POST", "/x")
    assert (response.status_code, response.json()) == (status, {"error": error})


async def test_a_handler_past_the_request_timeout_is_504() -> None:
    app = app_of(api("/x"), runs=Runs(lambda run: asyncio.sleep(30)), request_timeout_seconds=0.02)
    response = await ask(app, "POST", "/x")
    assert (response.status_code, response.json()) == (504, {"error": "Gateway Timeout"})


async def test_a_timeout_error_of_the_handlers_own_is_no_gateway_timeout() -> None:
    def slow_upstream(run: Run) -> Any:
        raise TimeoutError

    response = await ask(app_of(api("/x"), runs=Runs(slow_upstream)), "POST", "/x")
    assert response.status_code == 500


async def test_a_trace_goes_on_from_the_header_and_is_told_to_the_client() -> None:
    runs = Runs()
    response = await ask(
        app_of(api("/x"), runs=runs), "POST", "/x", headers={"traceparent": TRACEPARENT}
    )
    trace = runs.seen[0].trace
    assert trace.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert trace.span_id != "b7ad6b7169203331"
    assert response.headers["x-trace-id"] == trace.trace_id
    assert response.headers["traceparent"] == trace.header


async def test_without_a_usable_header_a_trace_starts() -> None:
    runs = Runs()
    app = app_of(api("/x"), runs=runs)
    await ask(app, "POST", "/x")
    await ask(app, "POST", "/x", headers={"traceparent": "nonsense"})
    first, second = (run.trace.trace_id for run in runs.seen)
    assert len(first) == len(second) == 32
    assert first != second


# --- validation -----------------------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "items": {"type": "array", "items": {"type": "integer"}},
        "photo": {"type": "string"},
    },
}


@pytest.mark.parametrize(
    ("app_wide", "step_wide", "status"),
    [(False, None, 200), (True, None, 400), (False, True, 400), (True, False, 200)],
)
async def test_the_body_schema_is_enforced_only_where_asked_and_the_step_decides(
    app_wide: bool, step_wide: bool | None, status: int
) -> None:
    runs = Runs()
    step = api("/x", body_schema=SCHEMA, validate_body=step_wide)
    app = app_of(step, runs=runs, validate_body=app_wide)
    assert (await ask(app, "POST", "/x", json={"name": 1})).status_code == status
    assert len(runs.seen) == (status == 200)


async def test_each_wrong_field_is_named_by_its_json_pointer() -> None:
    app = app_of(api("/x", body_schema=SCHEMA), validate_body=True)
    response = await ask(app, "POST", "/x", json={"items": [1, "b"]})
    assert response.status_code == 400
    body = response.json()
    assert body["error"] == "Validation failed"
    assert {detail["path"] for detail in body["details"]} == {"/name", "/items/1"}
    assert all(detail["message"] for detail in body["details"])
    assert (await ask(app, "POST", "/x", json={"name": "a", "items": [1]})).status_code == 200


async def test_an_uploaded_file_counts_as_a_string() -> None:
    app = app_of(api("/x", body_schema=SCHEMA), validate_body=True)
    files = {"photo": ("p.png", b"\xff")}
    assert (await ask(app, "POST", "/x", data={"name": "a"}, files=files)).status_code == 200


async def test_a_huge_or_deep_wrong_body_gets_a_small_answer() -> None:
    app = app_of(api("/x", body_schema=SCHEMA), validate_body=True)
    response = await ask(app, "POST", "/x", json={"items": ["x" * 1000] * 5_000})
    assert len(response.content) < 30_000
    deep = b'{"name":' + b'{"a":' * 900 + b"1" + b"}" * 901
    headers = {"content-type": "application/json"}
    assert (await ask(app, "POST", "/x", content=deep, headers=headers)).status_code == 400


async def test_a_schema_that_can_not_be_checked_lets_no_body_through() -> None:
    runs = Runs()
    step = api("/x", body_schema={"type": "banana"})
    app = app_of(step, api("/y"), runs=runs, validate_body=True)
    response = await ask(app, "POST", "/x", json={})
    assert (response.status_code, response.json()) == (500, JSON_500)
    assert not runs.seen
    assert (await ask(app, "POST", "/y", json={})).status_code == 200


async def test_a_request_says_which_trigger_of_its_step_it_came_by() -> None:
    routes = tuple(HttpTrigger(method="GET", path=path) for path in ("/a", "/b"))
    triggers = (EventTrigger(topics=("x",)), *routes)
    step = Step(name="a", file="steps/a_step.py", language="python", triggers=triggers)
    runs = Runs()
    app = app_of(step, api("/c", "GET"), runs=runs)
    for path in ("/b", "/a", "/c"):
        await ask(app, "GET", path)
    assert [run.trigger_index for run in runs.seen] == [2, 1, None]
