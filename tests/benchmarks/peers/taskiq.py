"""Taskiq with taskiq-aio-pika."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.arena import INSIDE, Place
from tests.benchmarks.peers.peer import PREFETCH, publish
from tests.benchmarks.processes import Command


@dataclass(frozen=True)
class Taskiq:
    """One worker process below Taskiq's own parent, which does nothing."""

    prefetch: int = PREFETCH
    name: str = "Taskiq"

    @property
    def configuration(self) -> str:
        return (
            f"--workers 1 --max-async-tasks {self.prefetch} --ack-type when_executed --no-parse, "
            f"qos {self.prefetch}, quorum queue, orjson, confirms, uvloop"
        )

    def queue(self, place: Place, task: str) -> str:
        return "bench"

    def seed(self, place: Place, task: str) -> None:
        place.run(publish(place, "taskiq_tasks", "seed", task))

    def worker(self, place: Place) -> Command:
        program = [place.arena.peers.program("taskiq"), "worker", "taskiq_tasks:broker"]
        options = ["--workers", "1", "--max-async-tasks", str(self.prefetch), "--no-parse"]
        options += ["--ack-type", "when_executed", "--log-level", "WARNING"]
        environment = {"BENCH_PREFETCH": str(self.prefetch)}
        return Command([*program, *options], INSIDE, environment)

    def publisher(self, place: Place, *arguments: str) -> Command:
        return publish(place, "taskiq_tasks", *arguments)
