"""Rules of the admin guard: who comes in, by what, and who stays out."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from unit.run.web_apps import Routed, Runs, api, app_of, never_emit

from motia_celery.run import admin
from motia_celery.run.admin import COOKIE, VISITOR
from motia_celery.run.attempts import ATTEMPTS
from motia_celery.run.session import Sessions
from motia_celery.run.web import create_app
from motia_celery.settings import Settings

TOKEN = "correct-horse-battery-staple-0123456789"
BEARER = {"authorization": f"Bearer {TOKEN}"}
SAME = {"origin": "https://app.example", "sec-fetch-site": "same-origin"}
PAGE = {"accept": "text/html,*/*"}
LINK = {**PAGE, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
FEED = {"accept": "text/event-stream"}


def guarded(is_dev: bool = False, **settings: Any) -> FastAPI:
    """An app with a page, an API, a feed and metrics, that answer whoever reaches them."""
    app = create_app(
        plan=Routed(api("/*", "GET"), api("/*", "POST")),
        settings=Settings(**settings),
        invoke=Runs(),
        emit=never_emit,
        probes={},
        is_dev=is_dev,
    )

    async def reached(request: Request) -> Response:
        visitor = request.scope[VISITOR]
        kind = "text/html" if request.url.path.startswith("/__workbench/page") else "text/plain"
        return Response(visitor.by, media_type=kind, headers={"cache-control": "max-age=9"})

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    for path in ("/__motia/{rest:path}", "/__workbench", "/__workbench/{rest:path}", "/metrics"):
        app.add_route(path, reached, methods=methods)
    return app


def production(**settings: Any) -> FastAPI:
    return guarded(environment="production", admin_token=TOKEN, **settings)


async def knock(
    app: FastAPI,
    method: str,
    path: str,
    headers: Any = None,
    *,
    client: str = "10.9.8.7",
    url: str = "https://app.example",
    **options: Any,
) -> httpx.Response:
    transport = httpx.ASGITransport(app, client=(client, 1234))
    async with httpx.AsyncClient(transport=transport, base_url=url) as browser:
        browser.headers.pop("accept")
        return await browser.request(method, path, headers=headers, **options)


def cookie(value: str | None = None) -> dict[str, str]:
    return {"cookie": f"{COOKIE}={Sessions(TOKEN, 60).issue() if value is None else value}"}


# --- on and off -----------------------------------------------------------------------------

PATHS = ("/metrics", "/__workbench", "/__workbench/session", "/__motia/state", "/__other")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("environment", ["production", "development", "test"])
async def test_without_a_token_nothing_is_there(path: str, method: str, environment: str) -> None:
    """`web` on a developer's machine and behind a proxy look alike; only `dev` opens the doors."""
    app = guarded(environment=environment)
    for headers in (None, BEARER, cookie()):
        response = await knock(
            app, method, path, headers, client="127.0.0.1", url="http://localhost:3000"
        )
        assert (response.status_code, response.json()) == (404, {"error": "Not Found"})
        assert "www-authenticate" not in response.headers


async def test_production_is_closed_under_dev_too() -> None:
    app = guarded(is_dev=True, environment="production")
    response = await knock(app, "GET", "/metrics", client="127.0.0.1", url="http://localhost")
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("client", "url", "headers", "status"),
    [
        ("127.0.0.1", "http://localhost:3000", {}, 200),
        ("127.0.0.1", "http://127.0.0.1:3000", {}, 200),
        ("::1", "http://[::1]:3000", {}, 200),
        ("::ffff:127.0.0.1", "http://localhost", {}, 200),
        ("127.0.0.1", "http://localhost:3000", {"origin": "http://localhost:3000"}, 200),
        # Another machine; the same behind a proxy or tunnel on this one.
        ("192.168.1.9", "http://localhost:3000", {}, 403),
        ("", "http://localhost:3000", {}, 403),
        ("127.0.0.1", "http://localhost:3000", {"x-forwarded-for": "127.0.0.1"}, 403),
        ("127.0.0.1", "http://localhost:3000", {"forwarded": "for=1.2.3.4"}, 403),
        ("127.0.0.1", "http://localhost:3000", {"via": "1.1 tunnel"}, 403),
        # A page of another site, and one whose name was pointed here.
        ("127.0.0.1", "http://localhost:3000", {"origin": "https://evil.example"}, 403),
        ("127.0.0.1", "http://localhost:3000", {"origin": "http://localhost:5173"}, 403),
        ("127.0.0.1", "http://localhost:3000", {"origin": "null"}, 403),
        ("127.0.0.1", "http://localhost:3000", {"sec-fetch-site": "cross-site"}, 403),
        ("127.0.0.1", "http://localhost:3000", {"sec-fetch-site": "same-site"}, 403),
        ("127.0.0.1", "http://evil.example:3000", {}, 403),
        ("127.0.0.1", "http://localhost.evil.example:3000", {}, 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/__motia/state", "/metrics", "/__workbench/session"])
async def test_under_dev_this_machine_needs_no_token(
    client: str, url: str, headers: dict[str, str], status: int, method: str, path: str
) -> None:
    app = guarded(is_dev=True, host="127.0.0.1")
    response = await knock(app, method, path, headers, client=client, url=url)
    expected = {200: (200, 204)}.get(status, (status,))
    assert response.status_code in expected


async def test_a_token_is_needed_under_dev_where_one_is_set() -> None:
    app = guarded(is_dev=True, admin_token=TOKEN)
    local: dict[str, Any] = {"client": "127.0.0.1", "url": "http://localhost"}
    assert (await knock(app, "GET", "/metrics", **local)).status_code == 401
    assert (await knock(app, "GET", "/metrics", BEARER, **local)).status_code == 200


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({"environment": "production"}, {}, 404),
        ({"environment": "production", "admin_token": TOKEN}, {}, 401),
        ({"environment": "production", "admin_token": TOKEN}, BEARER, 200),
        ({"admin_token": TOKEN}, {}, 401),
        ({}, {}, 200),
    ],
)
async def test_emitting_by_http_needs_the_token_in_production(
    settings: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    async def emit(topic: str, data: Any, headers: Any) -> None:
        pass

    app = app_of(emit=emit, emit_route=True, **settings)
    body = {"topic": "a", "data": 1}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost:3000"
    ) as client:
        answer = await client.post("/emit", json=body, headers=headers)
    assert answer.status_code == status


async def test_a_step_may_have_that_path_for_itself() -> None:
    app = guarded(environment="production")
    assert (await knock(app, "POST", "/emit")).status_code == 200


@pytest.mark.parametrize("path", ["/__motia/x", "/%5F%5Fmotia/x", "/_%5fworkbench", "/%6Detrics"])
async def test_no_spelling_of_a_path_leads_around_the_guard(path: str) -> None:
    assert (await knock(production(), "GET", path)).status_code == 401


async def test_no_route_of_a_user_takes_a_guarded_path() -> None:
    app = production()
    assert (await knock(app, "GET", "/shop")).status_code == 200
    for path in PATHS[:2]:
        assert (await knock(app, "GET", path)).status_code == 401


async def test_health_and_the_users_routes_are_not_guarded() -> None:
    app = production()
    for path in ("/health/live", "/metrics/of/mine", "/__", "/openapi.json"):
        response = await knock(app, "GET", path, {"host": "10.0.0.1"})
        assert response.status_code == (401 if path == "/__" else 200), path


# --- the token ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (BEARER, 200),
        ({"authorization": f"bearer  {TOKEN} "}, 200),
        ({}, 401),
        ({"authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        ({"authorization": f"Bearer {TOKEN}x"}, 401),
        ({"authorization": "Bearer "}, 401),
        ({"authorization": TOKEN}, 401),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        ({"cookie": f"{COOKIE}={TOKEN}"}, 401),
        ({"x-admin-token": TOKEN}, 401),
        ({**BEARER, "origin": "https://app.example"}, 200),
        ({**BEARER, "origin": "https://evil.example"}, 403),
        ({**BEARER, "sec-fetch-site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_the_token_comes_in_the_authorization_header(
    headers: dict[str, str], status: int, method: str
) -> None:
    response = await knock(production(), method, "/__motia/state", headers)
    assert response.status_code == status
    if status == 401:
        assert response.headers["www-authenticate"] == 'Bearer realm="motia-celery"'


@pytest.mark.parametrize("name", ["token", "access_token", "admin_token", "authorization"])
async def test_no_token_in_a_url_is_looked_at(name: str) -> None:
    response = await knock(production(), "GET", f"/metrics?{name}={TOKEN}")
    assert response.status_code == 401


async def test_too_many_wrong_tokens_of_one_client_are_not_even_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = production()
    wrong = {"authorization": "Bearer nonsense"}
    answers = [(await knock(app, "GET", "/metrics", wrong)).status_code for _ in range(ATTEMPTS)]
    assert answers == [401] * ATTEMPTS
    compared: list[Any] = []
    monkeypatch.setattr(admin, "same_secret", lambda *both: compared.append(both))
    late = await knock(app, "GET", "/metrics", BEARER)
    assert late.status_code == 429
    assert 0 < int(late.headers["retry-after"]) <= 61
    login = await knock(app, "POST", "/__workbench/session", json={"token": TOKEN})
    assert login.status_code == 429
    assert not compared
    monkeypatch.undo()
    assert (await knock(app, "GET", "/metrics", BEARER, client="10.0.0.2")).status_code == 200
    assert (await knock(app, "GET", "/__motia/x", cookie())).status_code == 200


async def test_who_sends_no_token_has_not_failed() -> None:
    app = production()
    for _ in range(ATTEMPTS + 1):
        assert (await knock(app, "GET", "/metrics")).status_code == 401
    assert (await knock(app, "GET", "/metrics", BEARER)).status_code == 200


async def test_no_secret_is_ever_logged_or_answered(caplog: pytest.LogCaptureFixture) -> None:
    app, value = production(), Sessions(TOKEN, 60).issue()
    forged = value[:-1] + ("0" if value[-1] != "0" else "1")
    seen = ""
    with caplog.at_level(logging.DEBUG):
        for headers in (
            {"authorization": "Bearer guess-of-a-stranger"},
            {"cookie": f"{COOKIE}={forged}"},
            {"cookie": f"{COOKIE}={value}"},
            {"cookie": f"{COOKIE}={value}", "origin": "https://evil.example"},
            {**BEARER, "host": "["},
            BEARER,
        ):
            for method in ("GET", "POST"):
                response = await knock(app, method, "/__motia/state", headers)
                seen += response.text + str(response.headers)
        await knock(app, "POST", "/__workbench/session", json={"token": "guess-of-a-stranger"})
        await knock(app, "POST", "/__workbench/session", json={"token": TOKEN})
    seen += caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "wrong admin token from 10.9.8.7" in caplog.text
    for secret in (TOKEN, "guess-of-a-stranger", value, forged):
        assert secret not in seen


async def test_a_path_can_not_forge_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    await knock(production(), "GET", "/__x%0Aforged", {"authorization": "Bearer wrong"})
    assert "\nforged" not in caplog.text


# --- hosts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "host", "origin", "status"),
    [
        ({}, "anything.example", None, 200),
        ({}, "anything.example", "https://anything.example", 200),
        ({}, "anything.example", "https://other.example", 403),
        ({"admin_hosts": ("ops.example",)}, "ops.example", None, 200),
        ({"admin_hosts": ("ops.example",)}, "OPS.example:443", "https://ops.example", 200),
        ({"admin_hosts": ("ops.example",)}, "app.example", None, 403),
        ({"admin_hosts": ("ops.example",)}, "ops.example.evil.example", None, 403),
        ({"admin_hosts": ("ops.example",)}, "", None, 403),
        # A scraper asks by address, for which no name can be pointed elsewhere.
        ({"admin_hosts": ("ops.example",)}, "10.1.2.3:3000", None, 200),
        ({"own_hosts": ("ops.example",)}, "app.example", None, 403),
        ({"admin_hosts": ("a.example",), "own_hosts": ("b.example",)}, "b.example", None, 403),
        ({"environment": "development"}, "app.example", None, 403),
        ({"environment": "development"}, "localhost:3000", None, 200),
        ({"environment": "development", "admin_hosts": ("x.example",)}, "x.example", None, 200),
    ],
)
async def test_the_guard_answers_its_own_hosts_only(
    settings: dict[str, Any], host: str, origin: str | None, status: int
) -> None:
    headers = {**BEARER, "host": host} | ({"origin": origin} if origin else {})
    app = guarded(**{"environment": "production", "admin_token": TOKEN, **settings})
    assert (await knock(app, "GET", "/metrics", headers)).status_code == status


# --- sessions -------------------------------------------------------------------------------


async def test_a_login_gives_a_cookie_that_is_not_the_token() -> None:
    response = await knock(
        production(), "POST", "/__workbench/session", SAME, json={"token": TOKEN}
    )
    assert (response.status_code, response.content) == (204, b"")
    cookies = response.headers.get_list("set-cookie")
    for text, path in zip(cookies, ("/__workbench", "/__motia"), strict=True):
        pair, *attributes = text.split("; ")
        assert set(attributes) == {
            f"Path={path}",
            "Max-Age=43200",
            "HttpOnly",
            "SameSite=Strict",
            "Secure",
        }
        value = pair.removeprefix(f"{COOKIE}=")
        assert TOKEN not in text
        assert Sessions(TOKEN, 1).expiry(value)


async def test_without_tls_the_cookie_is_not_secure_or_no_browser_would_keep_it() -> None:
    response = await knock(
        production(), "POST", "/__workbench/session", json={"token": TOKEN}, url="http://a.example"
    )
    assert "Secure" not in response.headers["set-cookie"]


async def test_a_browser_signs_in_looks_around_and_signs_out() -> None:
    transport = httpx.ASGITransport(production())
    async with httpx.AsyncClient(transport=transport, base_url="https://app.example") as browser:
        browser.headers["sec-fetch-site"] = "same-origin"
        told = {"tokenRequired": True, "signedIn": False, "expiresAt": None}
        assert (await browser.get("/__workbench/session")).json() == told
        assert (await browser.get("/__workbench/api")).status_code == 401
        form = {"token": TOKEN, "then": "/__workbench/runs?status=failed"}
        done = await browser.post("/__workbench/session", data=form)
        assert (done.status_code, done.headers["location"]) == (303, form["then"])
        assert (await browser.get("/__workbench/api")).text == "session"
        assert (await browser.get("/__motia/state")).text == "session"
        told = (await browser.get("/__workbench/session")).json()
        assert (told["signedIn"], type(told["expiresAt"])) == (True, int)
        assert (await browser.get("/metrics")).status_code == 401
        assert (await browser.delete("/__workbench/session")).status_code == 204
        assert (await browser.get("/__workbench/api")).status_code == 401


async def test_no_handler_sees_the_cookie() -> None:
    """Else it would lie in the records and logs of the users' runs."""
    transport = httpx.ASGITransport(app := app_of(api("/a", "GET"), admin_token=TOKEN))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
        await browser.post("/__workbench/session", json={"token": TOKEN})
        assert "cookie" in (await browser.get("/__motia/x")).request.headers
        assert "cookie" not in (await browser.get("/a")).request.headers
    assert app


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (None, 200),
        ("", 401),
        ("1.99999999999.abcdefghijklmnop." + "0" * 64, 401),
        (Sessions("another" * 6, 60).issue(), 401),
        (Sessions(TOKEN, -1).issue(), 401),
        (Sessions(TOKEN, 60).issue()[:-1], 401),
        (Sessions(TOKEN, 60).issue() + "0", 401),
    ],
    ids=["ours", "none", "made up", "another token's", "over", "cut", "longer"],
)
async def test_only_a_session_that_was_signed_here_and_holds_is_one(
    value: str | None, status: int
) -> None:
    response = await knock(production(), "GET", "/__motia/state", cookie(value))
    assert response.status_code == status


async def test_a_cookie_that_a_neighbour_planted_does_not_lock_out() -> None:
    both = {"cookie": f"{COOKIE}=planted; other=1; {cookie()['cookie']}"}
    assert (await knock(production(), "GET", "/__motia/state", both)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "reads", "changes", "feeds"),
    [
        (SAME, 200, 200, 200),
        ({"origin": "https://app.example"}, 200, 200, 200),
        ({"sec-fetch-site": "same-origin"}, 200, 200, 200),
        ({"referer": "https://app.example/__workbench"}, 200, 200, 200),
        ({}, 200, 403, 403),
        ({"sec-fetch-site": "none"}, 200, 403, 403),
        ({"sec-fetch-site": "none", "referer": "https://app.example/"}, 200, 403, 403),
        ({"referer": "https://evil.example/https://app.example"}, 200, 403, 403),
        ({"sec-fetch-site": "cross-site"}, 403, 403, 403),
        ({"sec-fetch-site": "same-site"}, 403, 403, 403),
        ({"sec-fetch-site": "Cross-Site"}, 403, 403, 403),
        ({"sec-fetch-site": "same-origin", "origin": "https://evil.example"}, 403, 403, 403),
        ({"origin": "http://app.example:8080"}, 403, 403, 403),
        ({"origin": "https://www.app.example"}, 403, 403, 403),
        ({"origin": "null"}, 403, 403, 403),
    ],
)
async def test_a_cookie_counts_only_where_our_own_page_asks(
    headers: dict[str, str], reads: int, changes: int, feeds: int
) -> None:
    app, session = production(), cookie()
    read = await knock(app, "GET", "/__motia/state", {**session, **headers})
    assert read.status_code == reads
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        change = await knock(app, method, "/__motia/state", {**session, **headers})
        assert change.status_code == changes
    feed = await knock(app, "GET", "/__workbench/feed", {**session, **headers, **FEED})
    assert feed.status_code == feeds


@pytest.mark.parametrize(
    ("method", "status"),
    [("GET", 403), ("POST", 403), ("DELETE", 403)],
)
async def test_another_site_can_neither_ask_for_nor_begin_nor_end_a_session(
    method: str, status: int
) -> None:
    headers = {**cookie(), "origin": "https://evil.example"}
    response = await knock(production(), method, "/__workbench/session", headers)
    assert response.status_code == status
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 401),
        (b'{"token": 5}', "application/json", 401),
        (b'{"token": null}', "application/json", 401),
        (b"x" * 5000, "application/json", 413),
        (b"token=wrong", "application/x-www-form-urlencoded", 401),
        (b"token[a]=b", "application/x-www-form-urlencoded", 401),
        (b"", "", 401),
    ],
)
async def test_a_login_without_the_token_is_refused(content: bytes, kind: str, status: int) -> None:
    headers = {"content-type": kind, **SAME}
    response = await knock(production(), "POST", "/__workbench/session", headers, content=content)
    assert response.status_code == status
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/shop",
        "/__workbenchevil",
        "/__workbench/\r\nset-cookie: a=b",
        "/__workbench/session",
        "/__workbench\\@evil.example",
    ],
)
async def test_a_login_leads_to_our_page_and_nowhere_else(then: str) -> None:
    response = await knock(
        production(), "POST", "/__workbench/session", SAME, data={"token": TOKEN, "then": then}
    )
    assert (response.status_code, response.headers["location"]) == (303, "/__workbench")


# --- pages ----------------------------------------------------------------------------------


async def test_a_browser_without_a_session_is_asked_for_the_token() -> None:
    path = '/__workbench/runs?q="><script>alert(1)</script>'
    response = await knock(production(), "GET", path, PAGE)
    assert response.status_code == 401
    assert 'action="/__workbench/session"' in response.text
    assert "<script" not in response.text
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_a_link_from_another_site_opens_the_page_with_the_next_request_of_our_own() -> None:
    """A strict cookie stays behind when another site's link is followed."""
    app = production()
    link = {**LINK, "sec-fetch-site": "cross-site"}
    first = await knock(app, "GET", "/__workbench/page/7", link)
    assert (first.status_code, first.headers["refresh"]) == (401, "0")
    again = {**LINK, **cookie(), "sec-fetch-site": "same-origin"}
    assert (await knock(app, "GET", "/__workbench/page/7", again)).status_code == 200
    asked = await knock(app, "GET", "/__workbench/page/7", {**again, "cookie": ""})
    assert "refresh" not in asked.headers
    framed = {**link, "sec-fetch-dest": "iframe"}
    assert (await knock(app, "GET", "/__workbench/page/7", framed)).status_code == 403


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/__workbench/page", {}),
        ("/__workbench/page", cookie()),
        ("/__motia/x", BEARER),
        ("/metrics", BEARER),
        ("/metrics", {}),
        ("/metrics", {"origin": "https://evil.example"}),
        ("/__workbench/session", {}),
    ],
)
async def test_every_answer_stays_out_of_caches_frames_and_other_sites(
    path: str, headers: dict[str, str]
) -> None:
    response = await knock(production(), "GET", path, headers)
    assert response.headers.get_list("cache-control") == ["no-store"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in response.headers if name.startswith("access-control-")]
    policy = response.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


async def test_a_page_may_run_scripts_of_its_own_host_alone() -> None:
    response = await knock(production(), "GET", "/__workbench/page", cookie())
    policy = dict(
        part.strip().split(" ", 1)
        for part in response.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["connect-src"]) == ("'self'", "'self'")


async def test_a_head_request_gets_no_body() -> None:
    response = await knock(production(), "HEAD", "/__workbench", PAGE)
    assert (response.status_code, response.content) == (401, b"")


async def test_below_a_root_path_cookie_and_form_name_the_whole_path() -> None:
    app = production()
    transport = httpx.ASGITransport(app, root_path="/shop")
    async with httpx.AsyncClient(transport=transport, base_url="https://a.example") as browser:
        page = await browser.get("/shop/__workbench", headers=PAGE)
        assert 'action="/shop/__workbench/session"' in page.text
        done = await browser.post("/shop/__workbench/session", data={"token": TOKEN})
        assert done.headers["location"] == "/shop/__workbench"
        assert "Path=/shop/__workbench;" in done.headers["set-cookie"]
