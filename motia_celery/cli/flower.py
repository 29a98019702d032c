"""Watch workers and tasks in Flower."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from motia_celery.errors import SettingsError


def run(
    port: Annotated[int | None, typer.Option("--port", "-p", help="Port to listen on.")] = None,
) -> None:
    """Runs Flower on ``--port``, else ``FLOWER_PORT``, else ``PORT``, else 5555.

    It refuses to start without ``FLOWER_BASIC_AUTH=user:password``: whoever opens it can read
    the arguments of every run, and stop workers.
    """
    if not os.environ.get("FLOWER_BASIC_AUTH"):
        raise SettingsError(
            "Flower shows every run's data and can stop workers, so it needs a password.",
            "FLOWER_BASIC_AUTH",
            "Set FLOWER_BASIC_AUTH=user:password.",
        )
    if find_spec("flower") is None:
        raise SettingsError(
            "Flower is not installed.", "motia-celery flower", "pip install 'motia-celery[flower]'"
        )
    chosen = port or os.environ.get("FLOWER_PORT") or os.environ.get("PORT") or 5555
    # Flower is run by Celery's own command, so that each of its options can be set by FLOWER_*.
    arguments = [sys.executable, "-m", "celery", "-A", "motia_celery.app", "flower"]
    os.execv(sys.executable, [*arguments, f"--port={chosen}"])  # noqa: S606 - our own program
