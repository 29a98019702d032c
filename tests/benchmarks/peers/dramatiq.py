"""Dramatiq."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.arena import INSIDE, Place
from tests.benchmarks.peers.peer import PREFETCH, publish
from tests.benchmarks.processes import Command


@dataclass(frozen=True)
class Dramatiq:
    """One worker process below Dramatiq's own parent, which does nothing."""

    threads: int = 8
    prefetch: int = PREFETCH
    confirms: bool = False
    name: str = "Dramatiq"

    @property
    def configuration(self) -> str:
        confirms = ", confirm_delivery" if self.confirms else ""
        return (
            f"-p 1 -t {self.threads}, dramatiq_queue_prefetch={self.prefetch}, "
            f"quorum queue{confirms}"
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "dramatiq_queue_prefetch": str(self.prefetch),
            "BENCH_CONFIRM": "1" if self.confirms else "0",
        }

    def queue(self, place: Place, task: str) -> str:
        return "bench"

    def seed(self, place: Place, task: str) -> None:
        place.run(publish(place, "dramatiq_tasks", "seed", task))

    def worker(self, place: Place) -> Command:
        program = [place.arena.peers.program("dramatiq"), "dramatiq_tasks"]
        options = ["-p", "1", "-t", str(self.threads)]
        return Command([*program, *options], INSIDE, self._environment)

    def publisher(self, place: Place, *arguments: str) -> Command:
        command = publish(place, "dramatiq_tasks", *arguments)
        return Command(command.arguments, command.folder, self._environment)
