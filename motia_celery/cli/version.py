"""Print the version."""

from __future__ import annotations

from importlib.metadata import version


def run() -> None:
    """Prints the installed version."""
    print(version("motia-celery"))
