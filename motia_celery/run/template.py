"""Templates: whole apps that `create` writes into a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from motia_celery.errors import OverwriteError

_FOLDER = Path(__file__).parents[1] / "templates"
#: What every app has, whatever its template.
_SHARED = _FOLDER / "shared"
#: What may be in a folder that an app is made in.
_HARMLESS = frozenset({".git", ".venv", "venv", ".idea", ".vscode", ".DS_Store"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NOT_IN_PREFIXES = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """An app to begin with. ``extras`` are those of the package that it asks for."""

    name: str
    description: str
    extras: str = "embedded,flower"

    @property
    def needs_node(self) -> bool:
        """Whether it has Steps that Node runs."""
        return "node" in self.extras.split(",")

    def write(self, folder: Path, app: str) -> tuple[Path, ...]:
        """Makes the app, and gives its files, relative to the folder.

        Raises:
            OverwriteError: the folder is there, and has something in it.
        """
        _require_empty(folder)
        words = _words(app, self.extras)
        files = dict(sorted([*_files(_SHARED), *_files(_FOLDER / self.name)]))
        for path, source in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_filled(source.read_text("utf-8"), words), "utf-8")
        return tuple(files)


TEMPLATES = {
    template.name: template
    for template in (
        Template(name="python", description="a route, an event and a schedule, in Python"),
        Template(
            name="typescript",
            description="the same in TypeScript",
            extras="embedded,flower,node",
        ),
        Template(
            name="multilang",
            description="one flow through TypeScript, Python and JavaScript",
            extras="embedded,flower,node",
        ),
        Template(name="orders", description="a tutorial: retries, streams, state, dead letters"),
    )
}


def is_app_name(text: str) -> bool:
    """Whether an app may be called so."""
    return _NAME.fullmatch(text) is not None


def _require_empty(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OverwriteError("a file of this name is there already.", str(folder), _FIX)
    if found := sorted({path.name for path in folder.iterdir()} - _HARMLESS):
        what = f"the folder is not empty: it has {', '.join(found[:3])}"
        raise OverwriteError(f"{what}{', …' if len(found) > 3 else '.'}", str(folder), _FIX)


_FIX = "Choose another name, or empty it; nothing was written."


def _files(folder: Path) -> Iterator[tuple[Path, Path]]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder), path


def _words(app: str, extras: str) -> Mapping[str, str]:
    prefix = _NOT_IN_PREFIXES.sub("-", app.lower()).strip("-")[:40] or "app"
    return {
        "name": app,
        "prefix": prefix,
        "package": prefix,
        "extras": extras,
        "version": version("motia-celery"),
    }


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        text = text.replace("{{" + name + "}}", value)
    return text
