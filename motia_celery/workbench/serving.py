"""The whole Workbench as ASGI apps by path, to be mounted in the web process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from starlette.types import ASGIApp

from motia_celery.plan.routes import WORKBENCH_PATH
from motia_celery.settings import Settings
from motia_celery.workbench.api import create_api
from motia_celery.workbench.limits import BodyLimit
from motia_celery.workbench.motia import create_motia
from motia_celery.workbench.page import Page
from motia_celery.workbench.sources import Sources
from motia_celery.workbench.watch import Watch

DIST = Path(__file__).parent / "ui" / "dist"
MOTIA_PATH = "/__motia"
API_PATH = "/api"


class Workbench:
    """The Workbench of one web process. ``open_sources`` is called once it starts."""

    def __init__(
        self, settings: Settings, open_sources: Callable[[], Sources], page: Path = DIST
    ) -> None:
        self._open = open_sources
        self._sources: Sources | None = None
        self._watch: Watch | None = None
        self._apps = (create_api(), create_motia())
        api, motia = (BodyLimit(app, settings.body_limit_bytes) for app in self._apps)
        base = WORKBENCH_PATH
        self.mounts: Mapping[str, ASGIApp] = {
            f"{base}{API_PATH}": api,
            base: Page(page, base),
            MOTIA_PATH: motia,
        }

    async def start(self) -> None:
        """Opens what the endpoints need."""
        self._sources = self._open()
        for app in self._apps:
            _give(app, self._sources)
        self._watch = Watch(self._sources)
        self._watch.start()

    def stop(self) -> None:
        """Ends the live feeds, which would hold up the end of the process."""
        if self._sources is not None:
            self._sources.hub.stop()

    async def aclose(self) -> None:
        """Lets go of everything."""
        self.stop()
        if self._watch is not None:
            await self._watch.aclose()
        if self._sources is not None:
            self._sources.samples.close()
            await anyio.to_thread.run_sync(self._sources.depths.close)
            if self._sources.records is not None:
                await anyio.to_thread.run_sync(self._sources.records.close)


def _give(app: FastAPI, sources: Any) -> None:
    app.state.sources = sources
