"""``motia-celery …`` as a fork of one process that has the package loaded.

To start Python and to import the package is most of what a short command does, and a second of what
a worker does; the tests start a thousand of them. Each has a session, an environment and files of
its own, as ever. What must be proved of a start from nothing has ``Process`` and the acceptance
tests.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parents[2]
#: The commands too, of which a process of its own imports none but the one that it runs.
LOADED = [
    *sorted(
        f"motia_celery.cli.{path.stem}" for path in (ROOT / "motia_celery/cli").glob("[a-z]*.py")
    ),
    "motia_celery.cli.dlq",
    "motia_celery.run.workbench",
    "motia_celery.run.worker",
    "motia_celery.run.serve",
    "motia_celery.run.beat",
    "motia_celery.run.release",
    "motia_celery.broker.dead_letters",
]

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(LOADED)


class Fork:
    """A process under way: what ``subprocess.Popen`` offers, as far as the tests use it."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        files: Sequence[Path],
    ) -> None:
        # Celery reads the second one when it is imported; `motia-celery worker` sets it before.
        with mock.patch.dict(os.environ, PYTHONPATH=str(ROOT), REMAP_SIGTERM="SIGQUIT"):
            # readline, once something imports it, sets them behind Python's back; rich would
            # take them, when it is loaded, for the size of every fork's terminal.
            os.unsetenv("COLUMNS")
            os.unsetenv("LINES")
            forkserver.ensure_running()
        self._process = _forks.Process(
            target=_run, args=([*arguments], str(folder), {**environment}, [*map(str, files)])
        )
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        assert code is not None, f"after {timeout} s still not: its end"
        return code

    def send_signal(self, number: int) -> None:
        if self._process.is_alive():
            os.kill(self.pid, number)


def _run(arguments: list[str], folder: str, environment: dict[str, str], files: list[str]) -> None:
    os.setsid()
    multiprocessing.current_process().name = "MainProcess"
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    _open(files)
    sys.path.insert(0, folder)
    sys.argv = ["motia-celery", *arguments]
    import motia_celery
    from motia_celery.cli import main

    assert Path(motia_celery.__file__).is_relative_to(ROOT), motia_celery.__file__
    try:
        main()
    finally:
        atexit._run_exitfuncs()


def _open(files: list[str]) -> None:
    """Input, output and errors, which are written at once."""
    modes = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_APPEND] * 2)
    for number, (path, mode) in enumerate(zip(files, modes, strict=True)):
        opened = os.open(path, mode)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False, errors="backslashreplace")
