"""The web process of an app under test, without a server: its routes and its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from motia_celery.errors import SettingsError
from motia_celery.run.admission import Admission
from motia_celery.run.app import App
from motia_celery.run.cors import Cors
from motia_celery.run.doors import Streaming
from motia_celery.run.live import Live
from motia_celery.run.web import create_app

if TYPE_CHECKING:
    import httpx


class Web:
    """The routes of the app, and the doors of its streams."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._live = Live(lambda: app.streams)
        self._client: httpx.AsyncClient | None = None
        self.asgi = create_app(
            plan=app.plan,
            settings=app.settings,
            invoke=app.invoke,
            emit=app.emit,
            probes={},
            streaming=self._streaming,
        )

    def _streaming(self, cors: Cors) -> Streaming:
        admission = Admission(self._app.settings, cors, self._app.authentication)
        return Streaming(live=self._live, rules=self._app.access, admission=admission)

    @property
    def client(self) -> httpx.AsyncClient:
        """An HTTP client, always the same.

        Raises:
            SettingsError: httpx is not installed.
        """
        if self._client is None:
            self._client = self._open_client()
        return self._client

    def _open_client(self) -> httpx.AsyncClient:
        try:
            import httpx
        except ImportError:
            raise SettingsError(
                "httpx is not installed.",
                "StepTester.client",
                "Type: pip install 'motia-celery[testing]'.",
            ) from None
        transport = httpx.ASGITransport(self.asgi, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://test")

    async def aclose(self) -> None:
        """Ends what is open."""
        await self._live.aclose()
        if self._client is not None:
            await self._client.aclose()
