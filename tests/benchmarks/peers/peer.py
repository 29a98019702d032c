"""What the benchmarks ask of a system that takes tasks from a queue."""

from __future__ import annotations

from typing import Protocol

from tests.benchmarks.arena import INSIDE, Place
from tests.benchmarks.processes import Command

#: Deliveries that a worker process may hold, in every system.
PREFETCH = 100


class System(Protocol):
    """Celery, Taskiq, ours …, in one configuration."""

    @property
    def name(self) -> str:
        """How tables call it."""
        ...

    @property
    def configuration(self) -> str:
        """Exactly how it is run."""
        ...

    def queue(self, place: Place, task: str) -> str:
        """The queue that the task's messages are in."""
        ...

    def seed(self, place: Place, task: str) -> None:
        """Declares the queue, and puts one message of the task into it."""
        ...

    def worker(self, place: Place) -> Command:
        """One worker process, which logs warnings only."""
        ...


class Publishing(Protocol):
    """A system whose own client publishes."""

    @property
    def name(self) -> str:
        """How tables call it."""
        ...

    @property
    def configuration(self) -> str:
        """Exactly how it is run."""
        ...

    def publisher(self, place: Place, *arguments: str) -> Command:
        """A process that does what ``inside/publish.py`` is told by these arguments."""
        ...


def publish(place: Place, module: str, *arguments: str) -> Command:
    """``inside/publish.py`` for a module beside it, in the peers' environment."""
    program = [str(place.arena.peers.python), str(INSIDE / "publish.py"), module, *arguments]
    return Command(program, INSIDE)


def uvicorn(place: Place, app: str, port: int) -> Command:
    """One web process of the peers, with uvicorn's faster parts."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop"]
    options += ["--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return Command([place.arena.peers.program("uvicorn"), app, *options], INSIDE)
