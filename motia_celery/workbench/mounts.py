"""Apps below paths of another, such as the Workbench in the web process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send


class Mounts:
    """ASGI middleware: requests below one of the paths go to its app, all others on.

    A longer path goes before a shorter one.
    """

    def __init__(self, app: ASGIApp, mounts: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._mounts = dict(sorted(mounts.items(), key=lambda mount: -len(mount[0])))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        if scope["type"] == "http":
            root = scope.get("root_path", "")
            path = scope["path"].removeprefix(root)
            for base, mounted in self._mounts.items():
                if f"{path}/".startswith(f"{base}/"):
                    below = f"{scope['path']}/" if path == base else scope["path"]
                    inner = {**scope, "path": below, "root_path": f"{root}{base}"}
                    await mounted(inner, receive, send)
                    return
        await self._app(scope, receive, send)
