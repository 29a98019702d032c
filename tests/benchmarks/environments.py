"""Where the peers live: a virtual environment and a folder of npm packages, both cached.

Their folders are named after what is in them, so another list makes another folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PYTHON_PACKAGES = (
    "celery==5.7.0",
    "gevent>=25",
    "taskiq==0.13.0",
    "taskiq-aio-pika==0.6.1",
    "dramatiq[rabbitmq]==2.2.1",
    "faststream[rabbit,cli]==0.7.8",
    "aio-pika==10.2.1",
    "fastapi==0.165.0",
    "uvicorn==0.54.0",
    "uvloop>=0.22",
    "httptools>=0.7",
    "orjson>=3.11",
    "redis[hiredis]>=6,<9",
    # What our processes import beside these, to compare memory with equal libraries.
    "opentelemetry-sdk>=1.30",
    "pydantic-settings>=2",
)
NPM_PACKAGES = {"motia": "0.17.6-beta.187"}
SHOWN = ("celery", "taskiq", "taskiq-aio-pika", "dramatiq", "faststream", "aio-pika", "fastapi")
INSTALL_SECONDS = 900
#: Motia's package would fetch and compile a Redis; it is given this machine's instead.
NO_DOWNLOADS = {"REDISMS_DISABLE_POSTINSTALL": "1"}


class InstallError(Exception):
    """The packages could not be had; the network may be away."""


@dataclass(frozen=True)
class Peers:
    """The peers' programs. ``motia`` is None where it was left out, and why stands beside it."""

    python: Path
    motia: Path | None = None
    without_motia: str = "left out"

    def program(self, name: str) -> str:
        """A program of the virtual environment."""
        return str(self.python.parent / name)

    def versions(self) -> dict[str, str]:
        """The versions of the peers."""
        code = (
            "import importlib.metadata as m, json, sys;"
            "print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
        )
        done = subprocess.run(
            [self.python, "-c", code, *SHOWN, "uvicorn", "uvloop", "gevent"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        found: dict[str, str] = json.loads(done.stdout)
        return {**found, **(NPM_PACKAGES if self.motia else {})}


def cache_folder() -> Path:
    """Where installed packages are kept between runs."""
    own = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("BENCHMARKS_CACHE") or f"{own}/motia-celery/benchmarks")


def peers_python() -> Path:
    """The Python of an environment with all peers; it is made where it is missing.

    Raises:
        InstallError: pip failed.
    """
    folder = _folder("python", [sys.version, *PYTHON_PACKAGES])
    with _made(folder) as wanted:
        if wanted:
            _run([sys.executable, "-m", "venv", str(folder)])
            _run([str(folder / "bin" / "pip"), "install", "--quiet", *PYTHON_PACKAGES])
    return folder / "bin" / "python"


def motia_folder() -> Path:
    """A folder whose ``node_modules`` has Motia; it is made where it is missing.

    Raises:
        InstallError: there is no Node or npm, or npm failed.
    """
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        raise InstallError("no Node with npm is on the PATH")
    folder = _folder("motia", [f"{name}@{version}" for name, version in NPM_PACKAGES.items()])
    with _made(folder) as wanted:
        if wanted:
            folder.mkdir(parents=True)
            package = {"name": "bench", "private": True, "dependencies": NPM_PACKAGES}
            (folder / "package.json").write_text(json.dumps(package))
            _run([npm, "install", "--no-audit", "--no-fund", "--loglevel=error"], folder)
    return folder


@contextlib.contextmanager
def _made(folder: Path) -> Iterator[bool]:
    """Whether the folder is to be filled, which one process does at a time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        complete = folder / "complete"
        if complete.exists():
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        yield True
        complete.touch()


def _folder(kind: str, facts: list[str]) -> Path:
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    return cache_folder() / f"{kind}-{digest}"


def _run(command: list[str], folder: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **NO_DOWNLOADS},
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise InstallError(f"{command[0]} took too long") from None
    if done.returncode:
        raise InstallError(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
