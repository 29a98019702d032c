"""The processes that ``dev`` starts, forked from one that has everything imported already.

A restart therefore costs a fork and the reading of the Step files, not the imports of Celery and
FastAPI. The process that is forked never runs a Step file itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from motia_celery.errors import FrameworkError

if TYPE_CHECKING:
    from motia_celery.run.app import Told

_PRELOADED = [
    "motia_celery.run.serve",
    "motia_celery.run.workbench",
    "motia_celery.run.worker",
    "motia_celery.run.beat",
    "motia_celery.run.release",
    "motia_celery.plan.describe",
    "celery.apps.worker",
    "celery.worker",
    "celery.concurrency.thread",
    "billiard.pool",
    "anyio._backends._asyncio",
    "encodings.idna",
    "packaging.version",
    "uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.lifespan.on",
]
#: A child whose starter vanished has this long to end by itself.
_ORPHAN_SECONDS = 5

context = multiprocessing.get_context("forkserver")


def preload() -> None:
    """Starts the process to fork from, whose imports go on meanwhile; call it early."""
    context.set_forkserver_preload(_PRELOADED)
    forkserver.ensure_running()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the files are now: the Plan as data, and what those of other languages define."""

    plan: dict[str, Any]
    told: Told


class Child:
    """One process of the app, with its output in a pipe."""

    def __init__(
        self,
        role: str,
        environment: Mapping[str, str],
        listener: socket.socket | None = None,
        *,
        told: Told,
        is_dev: bool = True,
    ) -> None:
        self.role = role
        self.stopping = False
        self.started = time.monotonic()
        self.output, output = context.Pipe(duplex=False)
        alive, self._lifeline = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_main,
            args=(role, dict(environment), output, alive, listener, told, is_dev),
            name=role,
        )
        self._process.start()
        output.close()
        alive.close()

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def stop(self) -> None:
        """Asks it to end."""
        self.stopping = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once."""
        self.stopping = True
        self._signal(signal.SIGKILL)

    def wait(self, seconds: float) -> bool:
        """Waits for its end; False if it still runs."""
        self._process.join(max(0, seconds))
        return self._process.exitcode is not None

    def _signal(self, number: int) -> None:
        if self._process.exitcode is None and self._process.pid:
            try:
                os.kill(self._process.pid, number)
            except ProcessLookupError:
                return


def read_files(environment: Mapping[str, str], told: Told) -> Reading:
    """The files as they are now, read in a process of its own; those of ``told`` are as they were.

    Raises:
        FrameworkError: the settings can not be used.
    """
    answers, answer = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(dict(environment), told, answer))
    process.start()
    answer.close()
    try:
        reading: Reading | FrameworkError = answers.recv()
    except EOFError:
        raise FrameworkError(
            "reading the Step files ended the process.",
            "dev",
            "Look at the output above; a Step file may end the process when it is imported.",
        ) from None
    finally:
        answers.close()
        # It may write types yet, which nobody waits for.
        threading.Thread(target=process.join, daemon=True).start()
    if isinstance(reading, FrameworkError):
        raise reading
    return reading


def _answer(environment: dict[str, str], told: Told, answer: Connection) -> None:
    _begin(environment)
    from motia_celery.plan.describe import describe
    from motia_celery.run.app import App
    from motia_celery.run.diagrams import DRAWN, write_diagrams
    from motia_celery.run.environment import read_environment
    from motia_celery.run.typings import refresh_types

    try:
        settings = read_environment()
        app = App(settings, told)
        plan = app.plan
        answer.send(Reading(describe(plan), app.told))
        if settings.environment != "production":
            refresh_types(settings.project_root, plan)
        if os.environ.get(DRAWN):
            write_diagrams(settings.project_root, plan)
    except FrameworkError as error:
        answer.send(error)


def _begin(environment: Mapping[str, str]) -> None:
    """Makes this the whole environment: the process forked from has read an older ``.env``."""
    # Python takes compiled code for fresh if a file's second and size are as they were, which
    # they are when one is saved twice in a second.
    sys.dont_write_bytecode = True
    os.environ.clear()
    os.environ.update(environment)


def _main(
    role: str,
    environment: dict[str, str],
    output: Connection,
    alive: Connection,
    listener: socket.socket | None,
    told: Told,
    is_dev: bool,
) -> None:
    # A group of its own: Ctrl-C in the terminal reaches `dev`, which stops its children in order.
    os.setpgid(0, 0)
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)
    output.close()
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    _begin(environment)
    threading.Thread(target=_end_with_starter, args=(alive,), daemon=True).start()
    try:
        _run(role, listener, told, is_dev)
    except FrameworkError as error:
        print(f"✗ {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _run(role: str, listener: socket.socket | None, told: Told, is_dev: bool) -> None:
    from motia_celery.observe.logs import configure_logging
    from motia_celery.run.environment import read_environment

    settings = read_environment()
    configure_logging(settings.log_level, settings.log_format, role, settings.redact_keys)
    if role == "web":
        from motia_celery.run.serve import serve

        serve(settings, [listener] if listener else None, is_dev=is_dev, told=told)
    elif role == "worker":
        from motia_celery.run.worker import work

        work(settings, told=told if is_dev else None)
    elif role == "beat":
        from motia_celery.run.beat import beat

        beat(settings, told)
    elif role == "release":
        from motia_celery.run.app import App
        from motia_celery.run.release import release

        for line in release(settings, App(settings, told).plan):
            print(line)


def _end_with_starter(alive: Connection) -> None:
    """Ends this process when `dev` is gone, however it went."""
    try:
        alive.recv_bytes()
    except EOFError:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_ORPHAN_SECONDS)
        os._exit(1)
