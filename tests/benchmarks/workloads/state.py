"""State: values set and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import INSIDE, Arena, Place
from tests.benchmarks.measuring import Sample, rate
from tests.benchmarks.ours import DIRECT, DIRECT_OFF, Ours
from tests.benchmarks.processes import Command
from tests.benchmarks.queues import Template, fill, take
from tests.benchmarks.workloads.workload import CPU, MEMORY, PER_SECOND, Contender, Workload

FULL_COUNT = 20_000
TASKS = 10


@dataclass
class Stating(Contender):
    """Ten handlers at once in a worker, each setting and getting one value after another."""

    system: Ours = DIRECT
    count: int = FULL_COUNT
    template: Template | None = None

    def prepare(self, place: Place) -> None:
        self.system.install(place, "state")
        self.system.emit(place, "state", {"count": self.count // TASKS})
        self.template = take(place, self.system.queue(place, "state"))

    def measure(self, place: Place) -> Sample:
        assert self.template is not None
        fill(place, self.system.queue(place, "state"), self.template, TASKS)
        return rate(place, [place.start(self.system.worker(place))], self.count)


@dataclass
class BareRedis(Contender):
    """The same commands by redis-py."""

    count: int = FULL_COUNT

    def measure(self, place: Place) -> Sample:
        program = [str(place.arena.peers.python), str(INSIDE / "bare_redis.py")]
        command = Command([*program, str(self.count), str(TASKS)], INSIDE)
        return rate(place, [place.start(command)], self.count)


def _contenders(arena: Arena) -> Sequence[Contender]:
    count = arena.scale.count(FULL_COUNT, 500)
    own = [
        Stating(v.name, v.configuration, True, v is DIRECT, None, v, count)
        for v in (DIRECT, DIRECT_OFF)
    ]
    about = f"redis-py asyncio with hiredis, HSET and HGET, orjson, uvloop, {TASKS} tasks"
    return [*own, BareRedis("redis-py", about, short=True, count=count)]


STATE = Workload(
    "state",
    "State set and read",
    f"A pair of set and get of a small value, {TASKS} handlers at once. Ours notes each in the "
    "record of its run.",
    (PER_SECOND, CPU, MEMORY),
    "redis-py",
    _contenders,
)
