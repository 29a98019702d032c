"""Rules of CORS on the Steps' routes, and of the app's own paths."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest
from unit.run.web_apps import (
    JSON_500,
    Runs,
    api,
    app_of,
    ask,
    echo,
)

from motia_celery.errors import BrokerUnavailableError, EmitError, EventDataError

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


@pytest.mark.parametrize("path", ["/emit", "/docs/oauth2-redirect"])
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
    token = "t" * 32
    app = app_of(admin_token=token)

    async def boom(request: Any) -> Any:
        raise RuntimeError("secret")

    app.add_route("/__boom", boom)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.get("/__boom", headers={"authorization": f"Bearer {token}"})
    assert (response.status_code, response.json()) == (500, JSON_500)


# --- POST /emit -----------------------------------------------------------------------------


async def test_emit_is_absent_until_switched_on() -> None:
    response = await ask(app_of(), "POST", "/emit", json={"topic": "a", "data": 1})
    assert response.status_code == 404


async def test_emit_publishes_and_says_what() -> None:
    emitted: list[Any] = []

    async def emit(topic: str, data: Any, headers: Any) -> None:
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
    async def emit(topic: str, data: Any, headers: Any) -> None:
        raise error

    app = app_of(emit=emit, emit_route=True)
    response = await ask(app, "POST", "/emit", json={"topic": "a"})
    assert (response.status_code, response.json()) == (503, {"error": "Service Unavailable"})


async def test_emit_of_what_can_never_be_sent_is_400() -> None:
    async def emit(topic: str, data: Any, headers: Any) -> None:
        raise EventDataError("the data has 9 bytes; at most 8 are accepted.", "emit 'a'")

    app = app_of(emit=emit, emit_route=True)
    response = await ask(app, "POST", "/emit", json={"topic": "a", "data": "x" * 7})
    assert response.status_code == 400
    assert response.json() == {"error": "the data has 9 bytes; at most 8 are accepted."}


async def test_emit_from_a_foreign_page_is_refused() -> None:
    app = app_of(emit_route=True)
    headers = {"origin": "https://evil.example"}
    response = await ask(app, "POST", "/emit", json={"topic": "a"}, headers=headers)
    assert response.status_code == 403


async def test_a_step_behind_the_emit_route_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        app_of(api("/emit"), emit_route=True)
    assert "POST /emit" in caplog.text
