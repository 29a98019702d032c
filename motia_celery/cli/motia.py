"""Motia's commands that have nothing to do here: each says what does what it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

_INSTEAD = {
    "install": "Type: pip install -r requirements.txt, and npm install where package.json is.",
    "build": "Nothing is built: deploy the folder as it is. `motia-celery check` looks for faults.",
    "docker": "`motia-celery create` writes a Dockerfile; docs/deploy.md has compose files too.",
    "cloud": "Motia Cloud takes Motia's own builds; docs/deploy.md says where this runs.",
    "rules": "docs/llms.txt lists what an assistant should read.",
}


def add_to(app: typer.Typer) -> None:
    """Adds the commands, hidden from the help."""
    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    for name, instead in _INSTEAD.items():
        command = app.command(name, hidden=True, context_settings=anything, help=instead)
        command(_refusal(name, instead))


def _refusal(name: str, instead: str) -> Callable[[], None]:
    def run() -> None:
        from motia_celery.errors import FrameworkError

        raise FrameworkError("is Motia's, and does nothing here.", f"motia {name}", instead)

    return run
