"""Types for editors and compilers: of ``motia``, and of the project's own Steps and streams."""

from __future__ import annotations

import textwrap
from contextlib import suppress
from functools import partial
from pathlib import Path

from motia_celery.errors import ConfigError
from motia_celery.plan import Plan
from motia_celery.plan.typescript import declarations
from motia_celery.runtime import node

TYPES_FILE = "motia-env.d.ts"
STEP_TYPES_FILE = "types.d.ts"

_STUBS = Path(node.__file__).parent / "node" / "motia"
#: The modules that are declared, each with the file of its types.
_MODULES = {"motia": "index.d.ts", "motia/workbench": "workbench.d.ts"}
#: What the head of a file says that Motia has made.
_MOTIAS_MARK = "automatically generated types for motia"
_HEADER = "// Made by `motia-celery generate types`; it is made anew, so change nothing here.\n"


def write_types(root: Path) -> Path | None:
    """Declares ``motia`` and ``motia/workbench`` in a file of the project, and gives its path.

    None where the package ``motia`` is installed, which brings types of its own.

    Raises:
        ConfigError: the file is there, and was made by someone else.
    """
    if _has_package(root):
        return None
    return _write(root / TYPES_FILE, _declaration())


def write_step_types(root: Path, plan: Plan) -> Path:
    """Declares the project's Steps and streams in a file of the project, and gives its path.

    Raises:
        ConfigError: the file is there, and was made by someone else; Motia's own is replaced.
    """
    place = "Handlers" if _has_package(root) else "HandlersByName"
    text = declarations(plan.steps, plan.streams, handlers_in=place)
    return _write(root / STEP_TYPES_FILE, _HEADER + text)


def refresh_types(root: Path, plan: Plan) -> None:
    """Keeps both files up to date where a ``tsconfig.json`` shows that the project has types.

    A file that someone else has made stays as it is.
    """
    if not (root / "tsconfig.json").is_file():
        return
    for write in (partial(write_types, root), partial(write_step_types, root, plan)):
        with suppress(ConfigError, OSError):
            write()


def _write(file: Path, text: str) -> Path:
    known = file.read_text("utf-8") if file.exists() else _HEADER
    if not known.startswith(_HEADER) and _MOTIAS_MARK not in known[:500].lower():
        raise ConfigError("this file was not made by this command.", file.name, "Rename it.")
    if text != known:  # a file that was saved anew would make editors read the project again
        file.write_text(text, "utf-8")
    return file


def _has_package(root: Path) -> bool:
    folders = (root.resolve(), *root.resolve().parents)
    return any((folder / "node_modules" / "motia").exists() for folder in folders)


def _declaration() -> str:
    return _HEADER + "".join(map(_module, _MODULES))


def _module(name: str) -> str:
    types = textwrap.indent((_STUBS / _MODULES[name]).read_text("utf-8"), "  ")
    return f"declare module '{name}' {{\n{types}}}\n"
