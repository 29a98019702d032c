"""The admin guard: what is no user's route is for those who have the token, and for nobody else.

``/metrics`` and everything under ``/__`` stand behind it. Without a token they are not there at
all; only under ``dev`` they are open, to this machine. Whatever is added to the app under these
paths is guarded without a word of its own.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from motia_celery.errors import ClientGoneError
from motia_celery.plan.routes import WORKBENCH_PATH
from motia_celery.run.attempts import Attempts, is_loopback
from motia_celery.run.body import RequestRefusedError, read_body
from motia_celery.run.guard import EMIT_PATH, HostRule, is_admin, route_path, same_host
from motia_celery.run.login import login_page
from motia_celery.run.requests import read_headers
from motia_celery.run.responses import Response, error_response, json_response
from motia_celery.run.session import Sessions, same_secret
from motia_celery.settings import Settings

log = logging.getLogger("motia_celery.admin")

#: Where the browser's page lives, and where it signs in and out.
PAGE_PATH = WORKBENCH_PATH
SESSION_PATH = f"{PAGE_PATH}/session"
#: The cookie is sent to these paths alone, so that no handler, log or run record ever holds it.
COOKIE_PATHS = (PAGE_PATH, "/__motia")
COOKIE = "motia_admin"
SESSION_SECONDS = 12 * 3600
#: The key of the scope under which the app behind the guard finds its :class:`Visitor`.
VISITOR = "motia_celery.admin"

_LOGIN_LIMIT_BYTES = 4096
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
#: Who comes through a proxy has the proxy's address, and is not on this machine.
_FORWARDED = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
_DATA_POLICY = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_PAGE_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"font-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'"
)
_HARDENED = {
    b"cache-control": b"no-store",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    # With no-referrer, the login form's Origin would be null.
    b"referrer-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}
_NEXT = re.compile(rf"{PAGE_PATH}(?:[/?][!-\[\]-~]*)?")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who was let in, and by what. ``until`` is the epoch second at which a session ends."""

    by: Literal["token", "session", "loopback"]
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Knock:
    """A request as the rules see it."""

    method: str
    path: str
    root: str
    query: str
    is_https: bool
    client: str
    headers: Mapping[str, Any]

    @classmethod
    def of(cls, scope: Scope) -> _Knock:
        return cls(
            method=scope["method"],
            path=route_path(scope),
            root=scope.get("root_path", ""),
            query=scope.get("query_string", b"").decode("latin-1"),
            is_https=scope.get("scheme") == "https",
            client=str((scope.get("client") or ("",))[0]),
            headers=read_headers(scope["headers"]),
        )

    def header(self, name: str) -> str:
        return str(self.headers.get(name, ""))

    @property
    def changes(self) -> bool:
        return self.method not in _READING

    @property
    def is_feed(self) -> bool:
        return "text/event-stream" in self.header("accept")

    @property
    def is_page(self) -> bool:
        """Whether a person's browser asks for a page, and not a script for data."""
        on_page = self.path == PAGE_PATH or self.path.startswith(f"{PAGE_PATH}/")
        return on_page and self.method in ("GET", "HEAD") and "text/html" in self.header("accept")


class AdminGuard:
    """ASGI middleware that lets only those in who may come in."""

    def __init__(self, app: ASGIApp, settings: Settings, is_dev: bool = False) -> None:
        self._app = app
        self._rules = _Rules(settings, is_dev)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on with its ``Visitor`` in the scope, or answers it."""
        if scope["type"] != "http" or not self._rules.cover(route_path(scope)):
            await self._app(scope, receive, send)
            return
        if not self._rules.is_on:
            await error_response(404, "Not Found").send(send, head=scope["method"] == "HEAD")
            return
        hardened = _hardened(send)
        answer = await self._rules.judge(_Knock.of(scope), receive)
        if isinstance(answer, Visitor):
            await self._app({**scope, VISITOR: answer}, receive, hardened)
        else:
            await answer.send(hardened, head=scope["method"] == "HEAD")


class _Rules:
    """Who comes in, in the order in which it is asked."""

    def __init__(self, settings: Settings, is_dev: bool) -> None:
        token = settings.admin_token
        self._token = token.get_secret_value() if token else None
        self._sessions = Sessions(self._token, SESSION_SECONDS) if self._token else None
        self._is_open = token is None and is_dev and settings.environment != "production"
        self._host_rule = HostRule(settings, settings.admin_hosts or settings.own_hosts)
        self._attempts = Attempts()
        is_open = token is None and settings.environment != "production"
        self._guards_emit = settings.emit_route and not is_open

    def cover(self, path: str) -> bool:
        """Whether the path is for operators: ``/emit`` is for developers too, without a token."""
        return is_admin(path) or (path == EMIT_PATH and self._guards_emit)

    @property
    def is_on(self) -> bool:
        return self._token is not None or self._is_open

    async def judge(self, knock: _Knock, receive: Receive) -> Visitor | Response:
        """The visitor, or the answer that the request gets in place of what it asked for."""
        fault = self._host_rule.fault(knock.headers) or _cross_site(knock)
        if fault:
            return _refused(knock, fault)
        if knock.path == SESSION_PATH:
            return await self._session(knock, receive)
        found = self._admitted(knock)
        if isinstance(found, Visitor) and found.by == "session" and _needs_proof(knock):
            # The browser adds the cookie whoever asks; only its own word on who asks counts.
            return found if _comes_from_here(knock) else _refused(knock, "Origin missing")
        return found

    def _admitted(self, knock: _Knock) -> Visitor | Response:
        if self._is_open:
            return self._local(knock)
        scheme, _, token = knock.header("authorization").partition(" ")
        if scheme.lower() == "bearer":
            return self._by_token(knock, token.strip())
        until = self._signed_in_until(knock)
        return Visitor("session", until) if until else self._stranger(knock)

    def _local(self, knock: _Knock) -> Visitor | Response:
        if is_loopback(knock.client) and not _FORWARDED & knock.headers.keys():
            return Visitor("loopback")
        return _refused(knock, "Only for this machine; set admin_token to let others in")

    def _by_token(self, knock: _Knock, token: str) -> Visitor | Response:
        fault = self._wrong(knock, token)
        return fault or Visitor("token")

    def _wrong(self, knock: _Knock, token: str) -> Response | None:
        """The answer to a wrong token, or to any from a client that sent too many."""
        wait = self._attempts.wait_seconds(knock.client)
        if wait:
            retry = (b"retry-after", b"%d" % (wait + 1))
            return error_response(429, "Too many failed attempts").with_headers([retry])
        if same_secret(token, self._token or ""):
            return None
        self._attempts.fail(knock.client)
        log.warning(
            "Refused a wrong admin token from %s for %r.",
            knock.client or "an unknown address",
            knock.path,
            extra={"action": "admin.wrong_token", "client": knock.client},
        )
        return _challenge("Wrong token")

    def _stranger(self, knock: _Knock) -> Response:
        if not knock.is_page:
            return _challenge("Admin token required")
        query = f"?{knock.query}" if knock.query else ""
        page = login_page(401, knock.root + SESSION_PATH, _next(knock.path + query))
        # A strict cookie does not come along from another site's link; from here it does.
        if _site(knock) in ("cross-site", "same-site"):
            page = page.with_headers([(b"refresh", b"0")])
        return page

    def _signed_in_until(self, knock: _Knock) -> int | None:
        if self._sessions is None:
            return None
        found = (self._sessions.expiry(value) for value in _cookies(knock.header("cookie")))
        return next((until for until in found if until), None)

    async def _session(self, knock: _Knock, receive: Receive) -> Response:
        """Tells of the session, begins it, or ends it."""
        if self._is_open and isinstance(refusal := self._local(knock), Response):
            return refusal
        if knock.method in ("GET", "HEAD"):
            return self._told(knock)
        if knock.method == "DELETE":
            return _with_cookies(Response(204), knock, "", 0)
        if knock.method == "POST":
            return await self._sign_in(knock, receive)
        return error_response(405, "Method Not Allowed").with_headers(
            [(b"allow", b"GET, HEAD, POST, DELETE")]
        )

    def _told(self, knock: _Knock) -> Response:
        until = self._signed_in_until(knock)
        return json_response(
            200,
            {
                "tokenRequired": not self._is_open,
                "signedIn": self._is_open or until is not None,
                "expiresAt": until,
            },
        )

    async def _sign_in(self, knock: _Knock, receive: Receive) -> Response:
        if self._sessions is None:
            return Response(204)
        try:
            body = (await read_body(receive, dict(knock.headers), _LOGIN_LIMIT_BYTES)).value
        except RequestRefusedError as error:
            return error_response(error.status, error.what)
        except ClientGoneError:
            return error_response(400, "Bad Request")
        is_form = "json" not in knock.header("content-type")
        fields = body if isinstance(body, Mapping) else {}
        then = _next(str(fields.get("then", "")))
        fault = self._wrong(knock, str(fields.get("token", "")).strip())
        if fault is not None:
            return _try_again(knock, fault, then) if is_form else fault
        done = Response(204)
        if is_form:
            done = Response(303, b"", ((b"location", (knock.root + then).encode()),))
        return _with_cookies(done, knock, self._sessions.issue(), SESSION_SECONDS)


def _site(knock: _Knock) -> str:
    return knock.header("sec-fetch-site").lower()


def _cross_site(knock: _Knock) -> str | None:
    """Why a browser may not send this from where it is: only links lead in from other sites."""
    if _site(knock) in ("", "same-origin", "none"):
        return None
    mode, kind = knock.header("sec-fetch-mode"), knock.header("sec-fetch-dest")
    is_link = knock.is_page and (mode, kind) == ("navigate", "document")
    return None if is_link else "Cross-site requests are not allowed"


def _needs_proof(knock: _Knock) -> bool:
    return knock.changes or knock.is_feed


def _comes_from_here(knock: _Knock) -> bool:
    """Whether the browser says that our own page asks; an Origin was compared before."""
    if "origin" in knock.headers:
        return True
    if _site(knock):
        return _site(knock) == "same-origin"
    # Where there is no TLS, browsers tell neither of a feed.
    return same_host(knock.header("referer"), knock.header("host"))


def _next(path: str) -> str:
    """Where a login leads; no other place than the page, whatever the form says."""
    is_safe = _NEXT.fullmatch(path) and not path.startswith(SESSION_PATH)
    return path if is_safe else PAGE_PATH


def _cookies(header: str) -> list[str]:
    """Every value of our cookie: another host of the same site may have put one of its own."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [value for name, _, value in pairs if name == COOKIE]


def _with_cookies(response: Response, knock: _Knock, value: str, seconds: int) -> Response:
    secure = "; Secure" if knock.is_https else ""
    headers = tuple(
        (
            b"set-cookie",
            f"{COOKIE}={value}; Path={knock.root}{path}; Max-Age={seconds}; HttpOnly; "
            f"SameSite=Strict{secure}".encode("latin-1"),
        )
        for path in COOKIE_PATHS
    )
    return Response(response.status, response.body, (*response.headers, *headers))


def _challenge(text: str) -> Response:
    scheme = (b"www-authenticate", b'Bearer realm="motia-celery"')
    return error_response(401, text).with_headers([scheme])


def _try_again(knock: _Knock, fault: Response, then: str) -> Response:
    words = "That is not the token." if fault.status == 401 else "Too many attempts; wait a minute."
    page = login_page(fault.status, knock.root + SESSION_PATH, then, words)
    return page.with_headers(header for header in fault.headers if header[0] == b"retry-after")


def _refused(knock: _Knock, fault: str) -> Response:
    log.warning(
        "Refused a request to %r from %s: %s.",
        knock.path,
        knock.client or "an unknown address",
        fault,
        extra={"action": "admin.refused", "client": knock.client},
    )
    return error_response(403, fault)


def _hardened(send: Send) -> Send:
    """Adds what keeps an answer out of caches, frames and other sites."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": _harden(message.get("headers", ()))}
        await send(message)

    return sending


def _harden(headers: Any) -> list[tuple[bytes, bytes]]:
    kept = [(name.lower(), value) for name, value in headers if name.lower() not in _HARDENED]
    names = dict(kept)
    if b"content-security-policy" not in names:
        is_html = names.get(b"content-type", b"").startswith(b"text/html")
        kept.append((b"content-security-policy", _PAGE_POLICY if is_html else _DATA_POLICY))
    return [*kept, *_HARDENED.items()]
