"""Rules of the web app: routes, bodies, answers, errors, CORS, and its own paths."""

from __future__ import annotations

import asyncio
import gzip
import logging
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from motia_celery.errors import BrokerUnavailableError, EmitError
from motia_celery.model.run import Failure, Outcome, Run, RunError, Success
from motia_celery.model.step import HttpTrigger, Step
from motia_celery.plan.routes import compile_routes
from motia_celery.run.web import create_app
from motia_celery.settings import Settings

JSON_500 = {"error": "Internal server error"}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def api(path: str, method: str = "POST", *, name: str = "", **trigger: Any) -> Step:
    http = HttpTrigger(method=method, path=path, **trigger)
    name = name or f"{method} {path}"
    return Step(
        name=name, file="steps/a_step.py", language="python", triggers=(http,), flows=("shop",)
    )


class Routed:
    def __init__(self, *steps: Step) -> None:
        self.routes, self.problems = compile_routes(steps)


@dataclass
class Runs:
    """Stands for the runtime: keeps the runs and answers with what the test gave."""

    answer: Any = field(default_factory=lambda: {"status": 200, "body": {"ok": True}})
    seen: list[Run] = field(default_factory=list)

    async def __call__(self, run: Run) -> Outcome:
        self.seen.append(run)
        answer = self.answer(run) if callable(self.answer) else self.answer
        if isinstance(answer, Awaitable):
            answer = await answer
        return answer if isinstance(answer, (Success, Failure)) else Success(answer)

    @property
    def request(self) -> Any:
        return self.seen[-1].input


async def never_emit(topic: str, data: Any) -> None:
    raise AssertionError("nothing should be emitted")


def app_of(
    *steps: Step,
    runs: Any = None,
    emit: Callable[[str, Any], Awaitable[None]] = never_emit,
    probes: Any = None,
    **settings: Any,
) -> FastAPI:
    return create_app(
        plan=Routed(*steps),
        settings=Settings(**settings),
        invoke=Runs() if runs is None else runs,
        emit=emit,
        probes=probes or {},
    )


def client_of(app: FastAPI, base_url: str = "http://localhost:3000") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)


async def ask(app: FastAPI, method: str, url: str, **options: Any) -> httpx.Response:
    async with client_of(app) as client:
        return await client.request(method, url, **options)


# --- the request that reaches the handler ---------------------------------------------------


async def test_the_handler_gets_motias_request() -> None:
    runs = Runs()
    response = await ask(
        app_of(api("/users/:id"), runs=runs),
        "POST",
        "/users/a%2Fb?x=1&x=2&f[a]=3",
        json={"name": "é"},
        headers={"X-Custom": "v"},
    )
    assert response.json() == {"ok": True}
    assert dict(runs.request) == {
        "pathParams": {"id": "a/b"},
        "queryParams": {"x": ["1", "2"], "f": {"a": "3"}},
        "body": {"name": "é"},
        "headers": runs.request["headers"],
        "rawBody": '{"name":"é"}',
    }
    assert runs.request.headers["x-custom"] == "v"
    assert runs.request.raw_bytes == '{"name":"é"}'.encode()
    assert (runs.request.method, runs.request.path) == ("POST", "/users/a/b")


async def test_the_run_names_its_step_and_flows() -> None:
    runs = Runs()
    app = app_of(api("/x", name="Create"), runs=runs)
    await ask(app, "POST", "/x")
    await ask(app, "POST", "/x")
    first, second = runs.seen
    assert (first.step, first.trigger, first.flows) == ("Create", "http", ("shop",))
    assert first.id != second.id


@pytest.mark.parametrize(
    ("content", "content_type", "body", "text"),
    [
        (b"", "application/json", {}, ""),
        (b"", None, {}, ""),
        (b"[1, 2]", "application/json", [1, 2], "[1, 2]"),
        (b'{"a": 1 }\n', "application/vnd.api+json", {"a": 1}, '{"a": 1 }\n'),
        ('{"a":"é"}'.encode("utf-16"), "application/json; charset=utf-16", {"a": "é"}, '{"a":"é"}'),
        (
            b"a=1&b[c]=2&b[c]=3",
            "application/x-www-form-urlencoded",
            {"a": "1", "b": {"c": ["2", "3"]}},
            "a=1&b[c]=2&b[c]=3",
        ),
        (b"hello", "text/plain", "hello", "hello"),
        (b"caf\xe9", "text/plain; charset=ISO-8859-1", "café", "café"),
        (b"<a/>", "application/xml", {}, "<a/>"),
        (b"\xff\x00", "application/octet-stream", {}, ""),
    ],
)
async def test_the_body_is_parsed_by_its_content_type(
    content: bytes, content_type: str | None, body: Any, text: str
) -> None:
    runs = Runs()
    headers = {"content-type": content_type} if content_type else {}
    response = await ask(
        app_of(api("/x"), runs=runs), "POST", "/x", content=content, headers=headers
    )
    assert response.status_code == 200
    assert (runs.request.body, runs.request.raw_body) == (body, text)
    assert runs.request.raw_bytes == content


async def test_a_multipart_form_gives_fields_and_files() -> None:
    runs = Runs()
    await ask(
        app_of(api("/x"), runs=runs),
        "POST",
        "/x",
        data={"title": "é", "tag": ["a", "b"]},
        files={"photo": ("../../etc/p.png", b"\x89\x00\r\n", "image/png")},
    )
    body = runs.request.body
    assert (body["title"], body["tag"]) == ("é", ["a", "b"])
    photo = runs.request.files["photo"]
    assert photo is body["photo"]
    assert dict(photo) == {
        "filename": "p.png",
        "contentType": "image/png",
        "content": b"\x89\x00\r\n",
        "size": 4,
    }
    assert (photo.filename, photo.content_type) == ("p.png", "image/png")


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"--b\r\n", "multipart/form-data"),
        (b"--b\r\nnonsense", "multipart/form-data; boundary=b"),
        (
            b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nx',
            "multipart/form-data; boundary=b",
        ),
        (b"--b\r\nx: y\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (
            b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (b"x", f"multipart/form-data; boundary={'b' * 5000}"),
        (b"{", "application/json"),
        (b'{"a": NaN}', "application/json"),
        (b'{"a": Infinity}', "application/json"),
        (b"5", "application/json"),
        (b"null", "application/json"),
        (b" ", "application/json"),
        (b'{"a": "\xff"}', "application/json"),
        (b'{"a": "\\ud800"}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"\xff", "text/plain"),
        (b"\xff=1", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_malformed_body_is_400_and_runs_nothing(content: bytes, content_type: str) -> None:
    runs = Runs()
    headers = {"content-type": content_type}
    response = await ask(
        app_of(api("/x"), runs=runs), "POST", "/x", content=content, headers=headers
    )
    assert response.status_code == 400
    assert list(response.json()) == ["error"]
    assert "Traceback" not in response.text
    assert not runs.seen


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain; charset=rot13"},
        {"content-type": "application/json; charset=nonsense"},
        {"content-encoding": "br"},
        {"content-encoding": "gzip, gzip"},
    ],
)
async def test_an_unknown_charset_or_encoding_is_415(headers: dict[str, str]) -> None:
    response = await ask(app_of(api("/x")), "POST", "/x", content=b"{}", headers=headers)
    assert response.status_code == 415


async def test_a_body_of_exactly_the_limit_passes() -> None:
    app = app_of(api("/x"), body_limit_bytes=4)
    assert (await ask(app, "POST", "/x", content=b"1234")).status_code == 200
    assert (await ask(app, "POST", "/x", content=b"12345")).status_code == 413


async def test_a_streamed_body_over_the_limit_is_413() -> None:
    async def endless() -> Any:
        while True:
            yield b"x" * 1000

    app = app_of(api("/x"), body_limit_bytes=10_000)
    assert (await ask(app, "POST", "/x", content=endless())).status_code == 413


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b'{"a":1}', mtime=0)),
        ("gzip", gzip.compress(b'{"a"', mtime=0) + gzip.compress(b":1}", mtime=0)),
        ("deflate", zlib.compress(b'{"a":1}')),
        ("deflate", zlib.compress(b'{"a":1}', wbits=-15)),
        ("identity", b'{"a":1}'),
    ],
)
async def test_a_compressed_body_is_inflated(encoding: str, packed: bytes) -> None:
    runs = Runs()
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    await ask(app_of(api("/x"), runs=runs), "POST", "/x", content=packed, headers=headers)
    assert runs.request.body == {"a": 1}
    assert runs.request.raw_body == '{"a":1}'


async def test_the_limit_counts_the_inflated_size() -> None:
    bomb = gzip.compress(b"0" * 1_000_000, mtime=0)
    headers = {"content-encoding": "gzip"}
    app = app_of(api("/x"), body_limit_bytes=10_000)
    assert (await ask(app, "POST", "/x", content=bomb, headers=headers)).status_code == 413


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b"x" * 100, mtime=0)[:-9]])
async def test_a_torn_compressed_body_is_400(content: bytes) -> None:
    headers = {"content-encoding": "gzip"}
    response = await ask(app_of(api("/x")), "POST", "/x", content=content, headers=headers)
    assert response.status_code == 400


async def test_a_form_with_too_many_fields_is_413() -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    content = "&".join(f"a{i}=1" for i in range(1_001))
    response = await ask(app_of(api("/x")), "POST", "/x", content=content, headers=headers)
    assert response.status_code == 413


async def test_a_client_that_leaves_while_sending_starts_no_run() -> None:
    runs = Runs()
    app = app_of(api("/x"), runs=runs)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/x", "query_string": b"", "headers": []}
    await app(scope, receive, send)
    assert not sent
    assert not runs.seen


# --- which route answers --------------------------------------------------------------------


def echo(run: Run) -> dict[str, Any]:
    return {"status": 200, "body": {"step": run.step, "params": run.input["pathParams"]}}


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


# --- CORS -----------------------------------------------------------------------------------

CORS_AS_IN_MOTIA = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "*",
    "access-control-allow-headers": "*",
    "access-control-max-age": "600",
    "access-control-allow-private-network": "true",
}


def cors_of(response: httpx.Response) -> dict[str, str]:
    return {k: v for k, v in response.headers.items() if k.startswith("access-control-")}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/x", 200), ("OPTIONS", "/x", 204), ("GET", "/x", 405), ("POST", "/boom", 500)],
)
async def test_every_answer_of_a_users_route_has_motias_cors_headers(
    method: str, path: str, status: int
) -> None:
    app = app_of(
        api("/x"), api("/boom"), runs=Runs(lambda run: echo(run) if run.step == "POST /x" else {})
    )
    response = await ask(app, method, path, headers={"origin": "https://shop.example"})
    assert response.status_code == status
    assert cors_of(response) == CORS_AS_IN_MOTIA


async def test_options_never_runs_a_step() -> None:
    runs = Runs()
    response = await ask(app_of(api("/x", "OPTIONS"), runs=runs), "OPTIONS", "/x")
    assert (response.status_code, response.content) == (204, b"")
    assert not runs.seen


@pytest.mark.parametrize("path", ["/health/live", "/openapi.json", "/docs", "/__motia", "/emit"])
async def test_our_own_paths_have_no_cors_headers(path: str) -> None:
    app = app_of(api("*", "GET"), emit_route=True)
    for method in ("GET", "OPTIONS", "POST"):
        assert not cors_of(await ask(app, method, path))


async def test_credentials_never_go_with_any_origin() -> None:
    app = app_of(api("/x"), cors_credentials=True)
    response = await ask(app, "POST", "/x", headers={"origin": "https://shop.example"})
    assert cors_of(response) == CORS_AS_IN_MOTIA


async def test_named_origins_are_echoed_and_others_get_nothing() -> None:
    app = app_of(api("/x"), cors_origins=("https://shop.example",), cors_credentials=True)
    preflight = {
        "origin": "https://shop.example",
        "access-control-request-headers": "authorization",
    }
    ours = await ask(app, "OPTIONS", "/x", headers=preflight)
    assert ours.headers["access-control-allow-origin"] == "https://shop.example"
    assert ours.headers["access-control-allow-credentials"] == "true"
    assert ours.headers["access-control-allow-headers"] == "authorization"
    assert ours.headers["vary"] == "origin"
    other = await ask(app, "POST", "/x", headers={"origin": "https://evil.example"})
    assert other.status_code == 200
    assert not cors_of(other)
    assert other.headers["vary"] == "origin"


async def test_a_handlers_own_cors_header_wins() -> None:
    answer = {"status": 200, "headers": {"Access-Control-Allow-Origin": "https://a.example"}}
    response = await ask(app_of(api("/x"), runs=Runs(answer)), "POST", "/x")
    assert response.headers.get_list("access-control-allow-origin") == ["https://a.example"]


# --- our own paths --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost:3000", None, 200),
        ("127.0.0.1:3000", None, 200),
        ("[::1]:3000", None, 200),
        ("LOCALHOST", None, 200),
        ("dev.example:3000", None, 200),
        ("localhost:3000", "http://localhost:3000", 200),
        ("dev.example", "https://dev.example", 200),
        ("evil.example", None, 403),
        ("localhost.evil.example", None, 403),
        ("", None, 403),
        ("[", None, 403),
        ("localhost:3000", "http://evil.example", 403),
        ("localhost:3000", "http://localhost:5173", 403),
        ("localhost:3000", "null", 403),
        ("localhost:3000", "", 403),
        ("localhost:3000", "http://[", 403),
    ],
)
@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_our_own_paths_answer_only_our_own_hosts_and_origins(
    path: str, host: str, origin: str | None, status: int
) -> None:
    app = app_of(own_hosts=("dev.example",), host="127.0.0.1")
    headers = {"host": host} | ({"origin": origin} if origin is not None else {})
    assert (await ask(app, "GET", path, headers=headers)).status_code == status


@pytest.mark.parametrize(
    "path", ["/__motia/state", "/%5F%5Fmotia", "/__", "/emit", "/docs/oauth2-redirect"]
)
async def test_the_guard_covers_every_own_path(path: str) -> None:
    app = app_of(api("*", "GET"), emit_route=True)
    headers = {"host": "evil.example"}
    assert (await ask(app, "GET", path, headers=headers)).status_code == 403


async def test_a_users_route_answers_any_host() -> None:
    response = await ask(app_of(api("/x")), "POST", "/x", headers={"host": "evil.example"})
    assert response.status_code == 200


async def test_an_address_is_a_host_only_where_every_interface_is_bound() -> None:
    headers = {"host": "192.168.1.5:3000"}
    everywhere = app_of(host="0.0.0.0")
    local = app_of(host="127.0.0.1")
    assert (await ask(everywhere, "GET", "/docs", headers=headers)).status_code == 200
    assert (await ask(local, "GET", "/docs", headers=headers)).status_code == 403


async def test_in_production_any_host_is_ours_until_hosts_are_named_but_origins_are_checked() -> (
    None
):
    open_app = app_of(environment="production")
    named = app_of(environment="production", own_hosts=("api.example",))
    headers = {"host": "shop.example"}
    assert (await ask(open_app, "GET", "/docs", headers=headers)).status_code == 200
    assert (await ask(named, "GET", "/docs", headers=headers)).status_code == 403
    headers["origin"] = "https://evil.example"
    assert (await ask(open_app, "GET", "/docs", headers=headers)).status_code == 403


async def test_a_websocket_from_a_foreign_page_is_closed() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost:3000"), (b"origin", b"http://evil.example")]
    scope = {"type": "websocket", "path": "/__motia/live", "headers": headers}
    await app_of()(scope, receive, send)
    assert [(m["type"], m["code"]) for m in sent] == [("websocket.close", 1008)]


async def test_health_answers_any_host_because_platforms_probe_by_address() -> None:
    headers = {"host": "10.0.0.7", "origin": "null"}
    app = app_of()
    response = await ask(app, "GET", "/health/live", headers=headers)
    assert (response.status_code, response.json()) == (200, {"status": "live"})
    assert (await ask(app, "GET", "/health/ready", headers=headers)).status_code == 200
    assert (await ask(app, "HEAD", "/health/live", headers=headers)).status_code == 200


async def test_ready_names_what_fails_and_tells_no_more() -> None:
    async def well() -> None:
        return None

    async def broken() -> None:
        raise ConnectionError("redis://user:secret@host")

    app = app_of(probes={"broker": well, "store": broken})
    response = await ask(app, "GET", "/health/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "checks": {"broker": "ok", "store": "failed"}}
    well_app = app_of(probes={"broker": well, "store": well})
    response = await ask(well_app, "GET", "/health/ready")
    assert response.json() == {"status": "ready", "checks": {"broker": "ok", "store": "ok"}}


async def test_a_probe_that_hangs_counts_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motia_celery.run.health.PROBE_TIMEOUT_SECONDS", 0.02)

    async def hangs() -> None:
        await asyncio.sleep(30)

    response = await ask(app_of(probes={"a": hangs, "b": hangs}), "GET", "/health/ready")
    assert response.json()["checks"] == {"a": "failed", "b": "failed"}


async def test_a_crash_on_our_own_path_is_500_without_a_traceback() -> None:
    app = app_of()

    async def boom(request: Any) -> Any:
        raise RuntimeError("secret")

    app.add_route("/__boom", boom)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.get("/__boom")
    assert (response.status_code, response.json()) == (500, JSON_500)


# --- POST /emit -----------------------------------------------------------------------------


async def test_emit_is_absent_until_switched_on() -> None:
    response = await ask(app_of(), "POST", "/emit", json={"topic": "a", "data": 1})
    assert response.status_code == 404


async def test_emit_publishes_and_says_what() -> None:
    emitted: list[Any] = []

    async def emit(topic: str, data: Any) -> None:
        emitted.append((topic, data))

    app = app_of(emit=emit, emit_route=True)
    response = await ask(app, "POST", "/emit", json={"topic": "order.created", "data": {"id": 1}})
    assert response.status_code == 200
    assert response.json() == {
        "success": True,
        "emitted": {"topic": "order.created", "data": {"id": 1}},
    }
    assert emitted == [("order.created", {"id": 1})]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"topic": 1}', b'{"topic": ""}', b'"x"']
)
async def test_emit_without_a_topic_is_400(body: bytes) -> None:
    headers = {"content-type": "application/json"}
    app = app_of(emit_route=True)
    response = await ask(app, "POST", "/emit", content=body, headers=headers)
    assert response.status_code == 400


@pytest.mark.parametrize("error", [EmitError("not confirmed."), BrokerUnavailableError("away.")])
async def test_emit_that_is_not_confirmed_is_503(error: Exception) -> None:
    async def emit(topic: str, data: Any) -> None:
        raise error

    app = app_of(emit=emit, emit_route=True)
    response = await ask(app, "POST", "/emit", json={"topic": "a"})
    assert (response.status_code, response.json()) == (503, {"error": "Service Unavailable"})


async def test_emit_from_a_foreign_page_is_refused() -> None:
    app = app_of(emit_route=True)
    headers = {"origin": "https://evil.example"}
    response = await ask(app, "POST", "/emit", json={"topic": "a"}, headers=headers)
    assert response.status_code == 403


async def test_a_step_behind_the_emit_route_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        app_of(api("/emit"), emit_route=True)
    assert "POST /emit" in caplog.text
