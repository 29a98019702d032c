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
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

#: The folders that are scanned for Steps, in this order.
STEP_FOLDERS = ("steps", "src")

_SAME_SECONDS = 2.0

#: The package that stands for the project's folder.
PROJECT_PACKAGE = "motia_project"


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


class SourceLoader(importlib.machinery.SourceFileLoader):
    """Keeps no bytecode of a file that was saved a moment ago.

    Bytecode is told apart by the second of the save and by the size: of two saves in one second
    that change a digit, the first would be run for ever.
    """

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Keeps the bytecode, unless another save may look the same."""
        if time.time() - Path(self.path).stat().st_mtime > _SAME_SECONDS:
            super().set_data(path, data, _mode=_mode)


def _find_below_project(path: str) -> importlib.machinery.FileFinder:
    """Finds the modules of a folder of the project; a path hook."""
    root = sys.modules[PROJECT_PACKAGE].__path__[0]
    if path != root and not path.startswith(root + os.sep):
        raise ImportError("not in the project", path=path)
    machinery = importlib.machinery
    return machinery.FileFinder(
        path,
        (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (SourceLoader, machinery.SOURCE_SUFFIXES),
        (machinery.SourcelessFileLoader, machinery.BYTECODE_SUFFIXES),
    )


class _Motia(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives ``import motia`` the names of Motia 1.0, where nobody else has such a module."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(fullname, self) if fullname == "motia" else None

    def exec_module(self, module: ModuleType) -> None:
        from motia_celery.motia import exports  # it takes long to import

        module.__doc__ = exports.__doc__
        names = {name: getattr(exports, name) for name in exports.__all__}
        vars(module).update(names, __all__=[*exports.__all__])
        sys.modules["motia.tracing"] = exports.tracing


def _real_name(fullname: str) -> str | None:
    """The name behind an alias, or None where ``fullname`` is no alias."""
    top, _, rest = fullname.partition(".")
    if top in STEP_FOLDERS:
        return f"{PROJECT_PACKAGE}.{fullname}"
    below = rest.partition(".")[0]
    if top == PROJECT_PACKAGE and below and below not in STEP_FOLDERS and _is_of_project(below):
        return rest
    return None


def _is_of_project(top: str) -> bool:
    """Whether ``import top`` finds the project's own: ``types`` and the like never do."""
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # a module without a spec, such as __main__
        return False
    if spec is None:
        return False
    places = spec.submodule_search_locations or [spec.origin or ""]
    root = sys.modules[PROJECT_PACKAGE].__path__[0]
    return root in {str(Path(place).parent) for place in places}


def prepare_imports(root: Path) -> None:
    """Makes the project's folder importable, as a package and as the first import path."""
    entry = str(root)
    sys.path[:] = [entry, *(other for other in sys.path if other != entry)]
    importlib.invalidate_caches()
    package = sys.modules.get(PROJECT_PACKAGE)
    if package is None:
        package = sys.modules[PROJECT_PACKAGE] = ModuleType(PROJECT_PACKAGE)
        sys.meta_path.insert(0, _Aliases())
        sys.meta_path.append(_Motia())
        sys.path_hooks.insert(0, _find_below_project)
    elif package.__path__ != [entry]:
        _forget_modules()
    package.__path__ = [entry]
    for path in [*sys.path_importer_cache]:
        if path == entry or path.startswith(entry + os.sep):
            del sys.path_importer_cache[path]


def _forget_modules() -> None:
    """Makes room for another project, whose files may have the same names."""
    for name in [*sys.modules]:
        top, _, rest = name.partition(".")
        if top in STEP_FOLDERS or (top == PROJECT_PACKAGE and rest):
            del sys.modules[name]


def load_module(root: Path, path: Path) -> ModuleType:
    """The module of a Step or stream file; it is executed on the first call only.

    Raises:
        BaseException: whatever the file raises while it is executed.
    """
    name = module_name(root, path)
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    _import_packages(root, path.parent)
    spec = importlib.util.spec_from_file_location(name, path, loader=SourceLoader(name, str(path)))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can not be loaded as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _import_packages(root: Path, folder: Path) -> None:
    """Imports the folder's package and those above it."""
    if folder == root:
        return
    _import_packages(root, folder.parent)
    name = module_name(root, folder)
    if name in sys.modules or "." not in folder.name:
        importlib.import_module(name)
        return
    # The import system would look for `v1` in `v1.2`.
    package = sys.modules[name] = ModuleType(name)
    package.__path__ = [str(folder)]


def module_name(root: Path, path: Path) -> str:
    """The module's full name; ``a/01-order.step.py`` is no identifier and need not be one.

    A dot becomes a colon, which no other file's name brings: ``a.step.py`` is not ``a_step.py``.
    """
    parts = path.relative_to(root).parts
    names = (*parts[:-1], parts[-1].removesuffix(".py"))
    return ".".join((PROJECT_PACKAGE, *(name.replace(".", ":") for name in names)))
