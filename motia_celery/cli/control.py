"""What the commands that speak to running workers have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motia_celery.run.control import Control


def control() -> Control:
    """The controls of this project's app."""
    from motia_celery.run.app import App
    from motia_celery.run.control import Control
    from motia_celery.run.environment import read_running

    settings = read_running()
    return Control(settings, App(settings).plan)
