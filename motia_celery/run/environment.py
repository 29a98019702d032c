"""The settings of the project in the current folder, with its ``.env`` read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dotenv import load_dotenv

from motia_celery.settings import Settings, load_settings
from motia_celery.stores.embedded import running_server


def read_environment(**overrides: Any) -> Settings:
    """The settings; ``.env`` adds variables that are not set yet, and Steps see them too.

    Raises:
        SettingsError: a setting has a value that can not be used.
    """
    root = Path(os.environ.get("MOTIA_ROOT", "."))
    load_dotenv(root / ".env")
    return load_settings(root, **overrides)


def read_running(**overrides: Any) -> Settings:
    """:func:`read_environment` for commands that speak to a running app: where no server is set,
    the one that `dev` started for this project.

    Raises:
        SettingsError: a setting has a value that can not be used.
    """
    settings = read_environment(**overrides)
    if settings.redis_url is None and settings.broker_url is None:
        url = running_server(settings.project_root)
        if url is not None:
            return read_environment(**overrides, redis_url=url)
    return settings


def remap_sigterm() -> None:
    """Makes SIGTERM start a worker's soft shutdown, as hosts that kill after 30 s need.

    Celery reads this when it is imported, so it is called before anything that imports it.
    """
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
