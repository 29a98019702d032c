"""Types for editors and compilers: what TypeScript Steps import from ``motia``."""

from __future__ import annotations

import textwrap
from pathlib import Path

from motia_celery.errors import ConfigError
from motia_celery.runtime import node

TYPES_FILE = "motia-env.d.ts"

_STUB = Path(node.__file__).parent / "node" / "motia" / "index.d.ts"
_HEADER = "// Made by `motia-celery generate types`; it is made anew, so change nothing here.\n"


def write_types(root: Path) -> Path | None:
    """Declares the module ``motia`` in a file of the project, and gives its path.

    None where the package ``motia`` is installed, which brings types of its own.

    Raises:
        ConfigError: the file is there, and was made by someone else.
    """
    if _has_package(root):
        return None
    file = root / TYPES_FILE
    known = file.read_text("utf-8") if file.exists() else _HEADER
    if not known.startswith(_HEADER):
        raise ConfigError("this file was not made by this command.", TYPES_FILE, "Rename it.")
    text = _declaration()
    if text != known:  # a file that was saved anew would make editors read the project again
        file.write_text(text, "utf-8")
    return file


def _has_package(root: Path) -> bool:
    folders = (root.resolve(), *root.resolve().parents)
    return any((folder / "node_modules" / "motia").exists() for folder in folders)


def _declaration() -> str:
    types = textwrap.indent(_STUB.read_text("utf-8"), "  ")
    return f"{_HEADER}declare module 'motia' {{\n{types}}}\n"
