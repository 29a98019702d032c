"""The measured processes: started, asked for their processor time and memory, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

END_SECONDS = 10.0


class BrokenRunError(Exception):
    """A measured process ended or hung; nothing can be said of its speed."""


@dataclass(frozen=True)
class Command:
    """What to start, where, and with which variables beside those of this process."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


class Running:
    """A process with all that it starts, in a group of its own."""

    def __init__(self, command: Command, log: Path) -> None:
        self.log = log
        self.began = time.time()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command.arguments,
                cwd=command.folder,
                env={**clean_environment(), **command.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.poll() is not None

    def wait(self, seconds: float) -> None:
        """Returns when it has ended well.

        Raises:
            BrokenRunError: it failed, or hung.
        """
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BrokenRunError(f"not over after {seconds} s: {self.told()}") from None
        if code:
            raise BrokenRunError(f"ended with {code}: {self.told()}")

    def told(self) -> str:
        """The end of its output."""
        return self.log.read_text(errors="replace")[-2000:]

    def kill(self) -> None:
        """Ends it at once, with what it started."""
        family = tree(self.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._process.wait(END_SECONDS)


#: The second would have a project's files compiled at each start.
_LEFT_OUT = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PORT", "LOG_LEVEL")


def clean_environment() -> dict[str, str]:
    """This process's variables without those that would change what is measured."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MOTIA_", "OTEL_", "BENCH_", "CELERY_", "AMQP_URL", "REDIS_URL"))
        and name not in _LEFT_OUT
    }


def tree(pid: int) -> list[psutil.Process]:
    """A process and all below it."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def families(pids: Iterable[int]) -> list[psutil.Process]:
    """These processes and all below them; to find them takes tens of milliseconds."""
    return [process for pid in pids for process in tree(pid)]


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """Processor time of these processes, and of their children that have ended."""
    return sum(map(_cpu, processes))


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def memory_megabytes(pids: Iterable[int]) -> float:
    """What they have of the machine's memory; what they share is counted once, on Linux."""
    return sum(_memory(process) for pid in pids for process in tree(pid)) / 1e6


def _memory(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", full.rss))


def wait_for(
    condition: Callable[[], bool],
    what: str,
    seconds: float,
    running: Iterable[Running] = (),
    pause: float = 0.02,
) -> None:
    """Returns when the condition holds.

    Raises:
        BrokenRunError: it did not in time, or one of the processes ended.
    """
    running = list(running)
    deadline = time.monotonic() + seconds
    while not condition():
        for process in running:
            if process.ended and not condition():
                raise BrokenRunError(f"ended before {what}: {process.told()}")
        if time.monotonic() > deadline:
            told = "\n".join(process.told() for process in running)
            raise BrokenRunError(f"after {seconds} s still not: {what}. {told}")
        time.sleep(pause)
