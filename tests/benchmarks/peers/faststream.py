"""FastStream."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.arena import INSIDE, Place
from tests.benchmarks.peers.peer import PREFETCH, publish
from tests.benchmarks.processes import Command


@dataclass(frozen=True)
class FastStream:
    """A broker library more than a task queue: it has no retries of its own."""

    prefetch: int = PREFETCH
    name: str = "FastStream"

    @property
    def configuration(self) -> str:
        return (
            f"faststream run --workers 1, prefetch_count {self.prefetch}, quorum queue, "
            "AckPolicy.NACK_ON_ERROR, confirms, uvloop, logger=None"
        )

    def queue(self, place: Place, task: str) -> str:
        return f"bench.{task}"

    def seed(self, place: Place, task: str) -> None:
        place.run(publish(place, "faststream_tasks", "seed", task))

    def worker(self, place: Place) -> Command:
        program = [place.arena.peers.program("faststream"), "run", "faststream_tasks:app"]
        options = ["--workers", "1", "--log-level", "warning", "--loop", "uvloop:new_event_loop"]
        return Command([*program, *options], INSIDE, {"BENCH_PREFETCH": str(self.prefetch)})

    def publisher(self, place: Place, *arguments: str) -> Command:
        return publish(place, "faststream_tasks", *arguments)
