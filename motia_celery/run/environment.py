"""The settings of the project in the current folder, with its ``.env`` read."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from dotenv import load_dotenv

from motia_celery.model.project import Servers
from motia_celery.settings import Settings, load_settings
from motia_celery.stores.embedded import running_server

_MAY_NAME = re.compile(r"\b(?:redis|adapters)\b")
_NONE = Servers()


def read_environment(**overrides: Any) -> Settings:
    """The settings; ``.env`` adds variables that are not set yet, and Steps see them too.

    Raises:
        SettingsError: a setting has a value that can not be used.
    """
    root = Path(os.environ.get("MOTIA_ROOT", "."))
    load_dotenv(root / ".env")
    settings = load_settings(root, **overrides)
    if settings.redis_url is not None and settings.broker_url is not None:
        return settings
    servers = _servers(settings.project_root)
    if not servers.settings:
        return settings
    return load_settings(root, project=servers.settings, project_file=servers.file, **overrides)


def _servers(root: Path) -> Servers:
    """The servers that the project's ``motia.config.ts`` names; it is executed only if it may."""
    for name in ("motia.config.ts", "motia.config.js"):
        file = root / name
        if file.is_file():
            text = file.read_text("utf-8", errors="replace")
            return _servers_in(root, file.stat().st_mtime_ns) if _MAY_NAME.search(text) else _NONE
    return _NONE


@cache
def _servers_in(root: Path, _changed: int) -> Servers:
    from motia_celery.discover import read_servers  # it takes long to import

    return read_servers(root)


def read_running(**overrides: Any) -> Settings:
    """:func:`read_environment` for commands that speak to a running app: where no Redis is set,
    the one that `dev` started for this project.

    Raises:
        SettingsError: a setting has a value that can not be used.
    """
    settings = read_environment(**overrides)
    if settings.redis_url is None:
        url = running_server(settings.project_root)
        if url is not None:
            return read_environment(**overrides, redis_url=url)
    return settings


def remap_sigterm() -> None:
    """Makes SIGTERM start a worker's soft shutdown, as hosts that kill after 30 s need.

    Celery reads this when it is imported, so it is called before anything that imports it.
    """
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
