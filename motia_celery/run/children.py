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
from multiprocessing.connection import Connection
from typing import Any

from motia_celery.errors import FrameworkError

_PRELOADED = [
    "motia_celery.run.serve",
    "motia_celery.run.workbench",
    "motia_celery.run.worker",
    "motia_celery.run.beat",
    "motia_celery.run.release",
    "motia_celery.plan.describe",
    "celery.apps.worker",
    "celery.worker",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.lifespan.on",
]
#: A child whose starter vanished has this long to end by itself.
_ORPHAN_SECONDS = 5

context = multiprocessing.get_context("forkserver")


def preload() -> None:
    """Names what the process to fork from imports; call it before the first child."""
    context.set_forkserver_preload(_PRELOADED)


class Child:
    """One process of the app, with its output in a pipe."""

    def __init__(
        self,
        role: str,
        environment: Mapping[str, str],
        listener: socket.socket | None = None,
        *,
        is_dev: bool = True,
    ) -> None:
        self.role = role
        self.stopping = False
        self.started = time.monotonic()
        self.output, output = context.Pipe(duplex=False)
        alive, self._lifeline = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_main,
            args=(role, dict(environment), output, alive, listener, is_dev),
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


def ask_for_plan(environment: Mapping[str, str]) -> dict[str, Any]:
    """The Plan of the files as they are now, read in a process of its own.

    Raises:
        FrameworkError: the settings can not be used.
    """
    answers, answer = context.Pipe(duplex=False)
    process = context.Process(target=_answer_plan, args=(dict(environment), answer))
    process.start()
    answer.close()
    try:
        plan = answers.recv()
    except EOFError:
        raise FrameworkError(
            "reading the Step files ended the process.",
            "dev",
            "Look at the output above; a Step file may end the process when it is imported.",
        ) from None
    finally:
        process.join()
    if isinstance(plan, FrameworkError):
        raise plan
    return dict(plan)


def _answer_plan(environment: dict[str, str], answer: Connection) -> None:
    _begin(environment)
    from motia_celery.plan.describe import describe
    from motia_celery.run.app import App
    from motia_celery.run.diagrams import DRAWN, write_diagrams
    from motia_celery.run.environment import read_environment
    from motia_celery.run.typings import refresh_types

    try:
        settings = read_environment()
        plan = App(settings).plan
        answer.send(describe(plan))
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
        _run(role, listener, is_dev)
    except FrameworkError as error:
        print(f"✗ {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _run(role: str, listener: socket.socket | None, is_dev: bool) -> None:
    from motia_celery.observe.logs import configure_logging
    from motia_celery.run.environment import read_environment

    settings = read_environment()
    configure_logging(settings.log_level, settings.log_format, role, settings.redact_keys)
    if role == "web":
        from motia_celery.run.serve import serve

        serve(settings, [listener] if listener else None, is_dev=is_dev)
    elif role == "worker":
        from motia_celery.run.worker import work

        work(settings)
    elif role == "beat":
        from motia_celery.run.beat import beat

        beat(settings)
    elif role == "release":
        from motia_celery.run.app import App
        from motia_celery.run.release import release

        for line in release(settings, App(settings).plan):
            print(line)


def _end_with_starter(alive: Connection) -> None:
    """Ends this process when `dev` is gone, however it went."""
    try:
        alive.recv_bytes()
    except EOFError:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_ORPHAN_SECONDS)
        os._exit(1)
