"""The package as it is published, in a virtual environment that has nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from acceptance import dockerfile
from integration.apps import ROOT, Process

from motia_celery.runtime.node import find_node

_PARTS = ("motia_celery/runtime/node", "motia_celery/workbench/ui")


class Installed:
    """What the image's build leaves: a wheel of a clean copy, and where it is installed.

    Nothing is built in the repository itself, at whose built parts other tests look.
    """

    def __init__(self, folder: Path) -> None:
        for part in _PARTS:  # npm need not install once more what bin/setup has installed
            if (ROOT / part / "node_modules").is_dir():
                (folder / "build" / part).mkdir(parents=True)
                modules = folder / "build" / part / "node_modules"
                modules.symlink_to(ROOT / part / "node_modules")
        build, _ = dockerfile.read(ROOT / "docker" / "Dockerfile")
        dockerfile.carry_out(build, ROOT, folder, PIP_NO_COMPILE="1")
        (self.wheel,) = (folder / "build" / "wheels").glob("*.whl")
        self.venv = folder / "opt" / "venv"
        self._processes: list[Process] = []

    def add(self, requirement: str) -> None:
        """Installs a package beside it."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.venv), "install", requirement]
        subprocess.run([*pip, "-q", "-c", str(ROOT / "constraints.txt")], check=True, timeout=200)

    @property
    def environment(self) -> dict[str, str]:
        """A user's: the program is on the PATH, and nothing leads to the repository."""
        kept = {n: v for n, v in os.environ.items() if n not in ("PYTHONPATH", "VIRTUAL_ENV")}
        node = Path(find_node() or "/usr/bin/node").parent
        path = [str(self.venv / "bin"), str(node), "/usr/bin", "/bin"]
        return {**kept, "PATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}

    def run(self, folder: Path, *command: str) -> str:
        """What the command prints; it has to end well."""
        program = str(self.venv / "bin" / command[0])
        done = subprocess.run(
            [program, *command[1:]],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, folder: Path, line: str, **environment: str) -> Process:
        """A line typed into a shell."""
        log = folder / f"shell{len(self._processes)}.log"
        full = {**self.environment, **environment}
        self._processes.append(Process(["-c", line], folder, full, log, "/bin/sh"))
        return self._processes[-1]

    def close(self) -> None:
        """Ends what is left, and shows what it said."""
        for process in self._processes:
            process.kill()
            print(f"--- {process.log}\n{process.output[-10_000:]}")
        self._processes.clear()
