"""Where contenders are measured: private servers, and a place of its own for each contender."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import amqp

from tests.benchmarks.environments import Peers
from tests.benchmarks.processes import Command, Running
from tests.benchmarks.scale import Scale
from tests.benchmarks.ticks import TickFile
from tests.servers import RabbitNode, Room, free_ports

ROOT = Path(__file__).parents[2]
INSIDE = Path(__file__).parent / "inside"
CONFIRM_SECONDS = 60.0


class Place:
    """One contender's folder, virtual host and processes. Processes die with the ``with``."""

    def __init__(self, arena: Arena, folder: Path, broker_url: str, prefix: str) -> None:
        self.arena = arena
        self.folder = folder
        self.broker_url = broker_url
        self.prefix = prefix
        self.ticks = TickFile(folder)
        self._running: list[Running] = []

    def start(self, command: Command) -> Running:
        """Starts a process that can tell what it does."""
        environment = {
            "PYTHONPATH": f"{INSIDE}:{ROOT}",
            "BENCH_BROKER": self.broker_url,
            "BENCH_REDIS": self.arena.redis_url,
            **self.ticks.environment,
            **command.environment,
        }
        log = self.folder / f"{len(list(self.folder.glob('*.log')))}.log"
        running = Running(Command(command.arguments, command.folder, environment), log)
        self._running.append(running)
        with (self.folder / "groups").open("a") as groups:  # the room's guard ends what is left
            groups.write(f"{running.pid}\n")
        return running

    def run(self, command: Command, seconds: float = 120) -> None:
        """Returns once the process has ended well."""
        self.start(command).wait(seconds)

    def kill_all(self) -> None:
        """Ends all its processes."""
        while self._running:
            self._running.pop().kill()
        (self.folder / "groups").unlink(missing_ok=True)

    def logs(self) -> str:
        """What all its processes wrote."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(log.read_text(errors="replace") for log in logs)

    @contextlib.contextmanager
    def channel(self) -> Iterator[amqp.Channel]:
        """A channel of a connection of its own."""
        host, _, path = self.broker_url.partition("@")[2].partition("/")
        with amqp.Connection(host=host, virtual_host=path.replace("%2F", "/")) as connection:
            yield connection.channel()


class Arena:
    """The servers of one run, and where everything is."""

    def __init__(
        self, room: Room, rabbitmq: RabbitNode, redis_url: str, peers: Peers, scale: Scale
    ) -> None:
        self.rabbitmq = rabbitmq
        self.redis_url = redis_url
        self.peers = peers
        self.scale = scale
        self._room = room
        self._made = 0

    @classmethod
    @contextlib.contextmanager
    def opened(cls, scale: Scale, peers: Peers) -> Iterator[Arena]:
        """An arena whose servers end with the ``with``."""
        room = Room.open()
        try:
            with room.redis() as redis:
                yield cls(room, room.shared_rabbitmq(), redis.url, peers, scale)
        finally:
            room.close()

    @contextlib.contextmanager
    def place(self, name: str) -> Iterator[Place]:
        """A place that nobody used before."""
        self._made += 1
        folder = self._room.folder("".join(c if c.isalnum() else "-" for c in name))
        url = self.rabbitmq.vhost()
        place = Place(self, folder, url, f"bench{self._made}")
        try:
            yield place
        finally:
            place.kill_all()
            self.rabbitmq.drop_vhost(url)
            shutil.rmtree(folder, ignore_errors=True)

    def port(self) -> int:
        """One that nobody listens on."""
        return free_ports(1)[0]

    def rabbitmq_pid(self) -> int:
        """The broker's process."""
        return self.rabbitmq.pid
