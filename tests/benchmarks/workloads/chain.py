"""A request, and the two events that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.inside.bench_ticks import PAYLOAD
from tests.benchmarks.load import Load
from tests.benchmarks.measuring import Sample, moment
from tests.benchmarks.ours import DIRECT, VARIANTS, Ours
from tests.benchmarks.peers.celery import Celery
from tests.benchmarks.peers.motia import MotiaChain
from tests.benchmarks.peers.peer import uvicorn
from tests.benchmarks.peers.taskiq import Taskiq
from tests.benchmarks.processes import Command, Running, memory_megabytes, wait_for
from tests.benchmarks.queues import consumers
from tests.benchmarks.web import Chains, run_chains, wait_for_web
from tests.benchmarks.workloads.workload import (
    BROKER_CPU,
    CPU,
    MEMORY,
    PER_SECOND,
    Contender,
    Metric,
    Workload,
)

FULL_COUNT = 4000
MOTIA_COUNT = 100
CLIENTS = 32
RATE = 200
RATE_SECONDS = 10
CHAIN_SECONDS = 120.0


class Chain(Protocol):
    """A web process and a worker that do the chain."""

    @property
    def name(self) -> str: ...

    @property
    def configuration(self) -> str: ...

    @property
    def path(self) -> str:
        """Where orders are posted to."""
        ...

    def prepare(self, place: Place) -> None: ...

    def queues(self, place: Place) -> Sequence[str]:
        """What the worker consumes once it is ready."""
        ...

    def commands(self, place: Place, port: int) -> Sequence[Command]: ...


@dataclass(frozen=True)
class OurChain:
    """Three Steps: a route and two events."""

    system: Ours
    path: str = "/orders"

    @property
    def name(self) -> str:
        return self.system.name

    @property
    def configuration(self) -> str:
        return f"one motia-celery web, one {self.system.configuration}"

    def prepare(self, place: Place) -> None:
        self.system.install(place, "chain")

    def queues(self, place: Place) -> Sequence[str]:
        return [self.system.queue(place, step) for step in ("first", "second")]

    def commands(self, place: Place, port: int) -> Sequence[Command]:
        return [self.system.worker(place), self.system.web(place, port)]


@dataclass(frozen=True)
class PeerChain:
    """FastAPI, whose route sends a task, which sends another."""

    system: Celery | Taskiq
    app: str
    name: str
    path: str = "/orders"

    @property
    def configuration(self) -> str:
        return f"uvicorn, POST {self.path} of {self.app}; worker: {self.system.configuration}"

    def prepare(self, place: Place) -> None:
        self.system.seed(place, "noop")  # declares the queue

    def queues(self, place: Place) -> Sequence[str]:
        return [self.system.queue(place, "first")]

    def commands(self, place: Place, port: int) -> Sequence[Command]:
        worker = self.system.worker(place)
        web = uvicorn(place, self.app, port)
        return [worker, Command(web.arguments, web.folder, worker.environment)]


@dataclass
class Chaining(Contender):
    """32 clients as fast as they can, then 200 requests a second."""

    chain: Chain = field(default_factory=lambda: OurChain(DIRECT))
    count: int = FULL_COUNT
    rate_count: int = RATE * RATE_SECONDS

    def prepare(self, place: Place) -> None:
        self.chain.prepare(place)

    def measure(self, place: Place) -> Sample:
        port, running = self.start(place)
        self.load(place, running, port, self.warm_up, 0)
        before = moment(place, running)
        full = self.load(place, running, port, self.count, 0)
        after = moment(place, running)
        steady = self.steady(place, running, port)
        return {
            "per_second": full.per_second,
            "p99_ms": full.percentile_ms(0.99),
            "steady_p50_ms": steady.percentile_ms(0.5),
            "steady_p99_ms": steady.percentile_ms(0.99),
            "cpu_us": (after.own - before.own) / self.count * 1e6,
            "broker_cpu_us": (after.broker - before.broker) / self.count * 1e6,
            "memory_mb": memory_megabytes(process.pid for process in running),
        }

    def start(self, place: Place) -> tuple[int, list[Running]]:
        """The port and the processes, once they are ready."""
        port = place.arena.port()
        running = [place.start(command) for command in self.chain.commands(place, port)]
        wait_for_web(port, running)
        wait_for(lambda: self._consumed(place), "consumers", CHAIN_SECONDS, running, 0.2)
        return port, running

    def _consumed(self, place: Place) -> bool:
        return all(consumers(place, queue) for queue in self.chain.queues(place))

    @property
    def warm_up(self) -> int:
        """Chains that are not counted."""
        return max(CLIENTS, self.count // 20)

    def steady(self, place: Place, running: Sequence[Running], port: int) -> Chains:
        """Chains at a rate that does not saturate."""
        return self.load(place, running, port, self.rate_count, RATE)

    def load(
        self,
        place: Place,
        running: Sequence[Running],
        port: int,
        count: int,
        rate: float,
        clients: int = CLIENTS,
    ) -> Chains:
        """So many chains, as fast as the clients can or at a rate."""
        load = Load(port, "POST", self.chain.path, count, clients, rate, {**PAYLOAD})
        return run_chains(place, running, load)


@dataclass
class OneByOne(Chaining):
    """For what can not do 200 a second: 32 clients, then one client instead of the rate."""

    @property
    def warm_up(self) -> int:
        return 2

    def steady(self, place: Place, running: Sequence[Running], port: int) -> Chains:
        return self.load(place, running, port, self.rate_count, 0, clients=1)


def _contenders(arena: Arena) -> Sequence[Contender]:
    confirming = Celery("threads", 10, confirms=True)
    chains: list[Chain] = [
        *(OurChain(variant) for variant in VARIANTS),
        PeerChain(confirming, "web_celery:app", "FastAPI + Celery threads, confirms"),
        PeerChain(Celery("threads", 10), "web_celery:app", "FastAPI + Celery threads"),
        PeerChain(Celery(), "web_celery:app", "FastAPI + Celery solo", "/orders-blocking"),
        PeerChain(Taskiq(), "web_taskiq:app", "FastAPI + Taskiq"),
    ]
    short = (DIRECT.name, "FastAPI + Celery threads", "FastAPI + Taskiq")
    found = [chaining(arena, chain, chain.name in short) for chain in chains]
    return [*found, _motia(arena)] if arena.peers.motia else found


def _motia(arena: Arena) -> Chaining:
    chain = MotiaChain()
    count, one = arena.scale.count(MOTIA_COUNT, 32), arena.scale.count(20, 5)
    name = f"{chain.name} (p50 and p99 of one client)"
    facts = (name, chain.configuration, False, False, None)
    return OneByOne(*facts, chain=chain, count=count, rate_count=one)


def chaining(arena: Arena, chain: Chain, short: bool = False) -> Chaining:
    """A contender that does the chain."""
    ours = isinstance(chain, OurChain)
    count = arena.scale.count(FULL_COUNT, 100)
    steady = arena.scale.count(RATE * RATE_SECONDS, 100)
    about = (chain.name, chain.configuration, ours, short, None)
    return Chaining(*about, chain=chain, count=count, rate_count=steady)


P99 = Metric("p99_ms", "p99 when saturated", "ms")
STEADY = Metric("steady_p50_ms", f"p50 at {RATE}/s", "ms")
STEADY_P99 = Metric("steady_p99_ms", f"p99 at {RATE}/s", "ms")

CHAIN = Workload(
    "chain",
    "A request, and the two events that follow from it",
    f"POST, then an event, then another; {CLIENTS} clients, one web process and one worker. A "
    "chain is over when its second event was handled.",
    (PER_SECOND, P99, STEADY, STEADY_P99, CPU, BROKER_CPU, MEMORY),
    "FastAPI + Celery threads",
    _contenders,
)
