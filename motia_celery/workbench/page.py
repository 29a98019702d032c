"""The built page: its files, with the headers that keep it to this host alone."""

from __future__ import annotations

import mimetypes
import secrets
from functools import lru_cache
from pathlib import Path

import anyio.to_thread
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

#: Where the page is built for; at another base path its files are rewritten.
BUILT_FOR = b"/__workbench"
#: In the page's HTML it stands for what lets its inline styles through, new for each answer.
NONCE = b"__CSP_NONCE__"

_IMMUTABLE = "public, max-age=31536000, immutable"
_REWRITTEN = frozenset({".html", ".js", ".css", ".json"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_NOT_BUILT = (
    "The Workbench's page is not built.\n\n"
    "In a checkout, run `npm ci` and `npm run build` in motia_celery/workbench/ui;\n"
    "an installed package always has it, so install that again.\n"
)


class Page:
    """The ASGI app of the page: its files, and its index for all paths that are none."""

    def __init__(self, folder: Path, base_path: str) -> None:
        self._folder = folder
        self._base = base_path.encode()
        self._read = lru_cache(maxsize=256)(self._read_file)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers the request."""
        if scope["type"] != "http":
            return
        response = await self._response(scope)
        await response(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("Method Not Allowed", 405, {"Allow": "GET, HEAD"})
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return await anyio.to_thread.run_sync(self._answer, path.removeprefix("/"))

    def _answer(self, name: str) -> Response:
        file = self._file(name)
        if file is not None and file.name != "index.html":
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            cache = _IMMUTABLE if name.startswith("assets/") else "no-cache"
            headers = {**_HEADERS, "Cache-Control": cache, "Content-Security-Policy": _policy()}
            return Response(self._content(file), 200, headers, kind)
        index = self._folder / "index.html"
        if not index.is_file():
            return PlainTextResponse(_NOT_BUILT, 404, _HEADERS)
        if file is None and ("." in name.rpartition("/")[2] or name.startswith("assets/")):
            return PlainTextResponse("Not Found", 404, _HEADERS)
        return self._index(self._content(index))

    def _index(self, content: bytes) -> Response:
        nonce = secrets.token_urlsafe(16) if NONCE in content else ""
        headers = {
            **_HEADERS,
            "Cache-Control": "no-store",
            "Content-Security-Policy": _policy(nonce),
        }
        return Response(content.replace(NONCE, nonce.encode()), 200, headers, "text/html")

    def _file(self, name: str) -> Path | None:
        """The file of that name inside the folder, or None; a name that leads out is no file."""
        if not name or "\0" in name or "\\" in name:
            return None
        try:
            file = (self._folder / name).resolve()
            return file if file.is_relative_to(self._folder.resolve()) and file.is_file() else None
        except (OSError, ValueError):
            return None

    def _content(self, file: Path) -> bytes:
        return self._read(file, file.stat().st_mtime_ns)

    def _read_file(self, file: Path, _changed: int) -> bytes:
        content = file.read_bytes()
        if self._base != BUILT_FOR and file.suffix in _REWRITTEN:
            return content.replace(BUILT_FOR, self._base)
        return content


def _policy(nonce: str = "") -> str:
    styles = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return (
        f"default-src 'self'; style-src {styles}; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
