"""The settings of the project in the current folder, with its ``.env`` read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dotenv import load_dotenv

from motia_celery.settings import Settings, load_settings


def read_environment(**overrides: Any) -> Settings:
    """The settings; ``.env`` adds variables that are not set yet, and Steps see them too.

    Raises:
        SettingsError: a setting has a value that can not be used.
    """
    root = Path(os.environ.get("MOTIA_ROOT", "."))
    load_dotenv(root / ".env")
    return load_settings(root, **overrides)


def remap_sigterm() -> None:
    """Makes SIGTERM start a worker's soft shutdown, as hosts that kill after 30 s need.

    Celery reads this when it is imported, so it is called before anything that imports it.
    """
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
