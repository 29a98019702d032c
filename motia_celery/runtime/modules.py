"""Importing Step files as Python modules of the project.

Everything below ``steps/`` and ``src/`` lives in one package that stands for the project's
folder, so that relative imports may climb out of ``steps/`` (``from ..lib import x``). The
absolute names (``from src.services.x import y``) are aliases of the same modules: no file is
executed twice.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

#: The folders that are scanned for Steps, in this order.
STEP_FOLDERS = ("steps", "src")

_PROJECT = "motia_project"


class _Aliases(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives ``src.x`` and ``motia_project.src.x``, ``lib`` and ``motia_project.lib`` one module."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        real = _real_name(fullname)
        return None if real is None else importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(_real_name(spec.name) or spec.name)
        # The import system is about to put the alias's spec in place of the module's own.
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        alias = module.__spec__
        if alias is not None:
            module.__spec__ = alias.loader_state


def _real_name(fullname: str) -> str | None:
    """The name behind an alias, or None where ``fullname`` is no alias."""
    top, _, rest = fullname.partition(".")
    if top in STEP_FOLDERS:
        return f"{_PROJECT}.{fullname}"
    if top == _PROJECT and rest and rest.partition(".")[0] not in STEP_FOLDERS:
        return rest
    return None


def prepare_imports(root: Path) -> None:
    """Makes the project's folder importable, as a package and as the first import path."""
    entry = str(root)
    if entry not in sys.path:
        sys.path.insert(0, entry)
    package = sys.modules.get(_PROJECT)
    if package is None:
        package = sys.modules[_PROJECT] = ModuleType(_PROJECT)
        sys.meta_path.insert(0, _Aliases())
    package.__path__ = [entry]


def load_module(root: Path, path: Path) -> ModuleType:
    """The module of a Step or stream file; it is executed on the first call only.

    Raises:
        BaseException: whatever the file raises while it is executed.
    """
    name = module_name(root, path)
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    importlib.import_module(name.rpartition(".")[0])
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can not be loaded as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def module_name(root: Path, path: Path) -> str:
    """The module's full name; ``a/01-order.step.py`` is no identifier and need not be one."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join((_PROJECT, *parts[:-1], parts[-1].replace(".", "_")))
