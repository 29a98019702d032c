"""The package as it is published, in a virtual environment that has nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from integration.apps import ROOT, Process

from motia_celery.runtime.node import find_node

_UNBUILT = shutil.ignore_patterns(
    "__pycache__", "node_modules", "tests", ".git", ".venv", ".*cache"
)
_PARTS = ("motia_celery/runtime/node", "motia_celery/workbench/ui")


def build(folder: Path) -> Path:
    """The wheel, built from a copy: other tests look at what is built in the repository."""
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=_UNBUILT)
    for part in _PARTS:
        if (ROOT / part / "node_modules").is_dir():
            (source / part / "node_modules").symlink_to(ROOT / part / "node_modules")
    _run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(folder), str(source))
    (wheel,) = folder.glob("*.whl")
    return wheel


def _run(*command: str, folder: Path | None = None, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


class Installed:
    """The wheel with ``extras`` in a fresh virtual environment, and what runs in it."""

    def __init__(self, folder: Path, wheel: Path, extras: str) -> None:
        self.bin = folder / "bin"
        self._processes: list[Process] = []
        _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        pip = (sys.executable, "-m", "pip", "--python", str(folder), "install", "--no-compile")
        _run(*pip, "-c", str(ROOT / "constraints.txt"), f"{wheel}[{extras}]")

    @property
    def environment(self) -> dict[str, str]:
        """A user's: the program is on the PATH, and nothing leads to the repository."""
        kept = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "VIRTUAL_ENV")}
        path = [str(self.bin), str(Path(find_node() or "/usr/bin/node").parent), "/usr/bin", "/bin"]
        return {**kept, "PATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}

    def run(self, folder: Path, *command: str) -> str:
        """What the command prints; it has to end well."""
        return _run(str(self.bin / command[0]), *command[1:], folder=folder, **self.environment)

    def start(self, folder: Path, line: str, **environment: str) -> Process:
        """A line typed into a shell."""
        log = folder / f"shell{len(self._processes)}.log"
        full: dict[str, Any] = {**self.environment, **environment}
        self._processes.append(Process(["-c", line], folder, full, log, "/bin/sh"))
        return self._processes[-1]

    def close(self) -> None:
        """Ends what is left, and shows what it said."""
        for process in self._processes:
            process.kill()
            print(f"--- {process.log}\n{process.output[-10_000:]}")
        self._processes.clear()
