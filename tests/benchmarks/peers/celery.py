"""Celery, with one of its pools."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from tests.benchmarks.arena import INSIDE, Place
from tests.benchmarks.peers.peer import PREFETCH, publish
from tests.benchmarks.processes import Command


@dataclass(frozen=True)
class Celery:
    """Its prefetch is concurrency × multiplier, so the multiplier follows from the concurrency."""

    pool: str = "solo"
    concurrency: int = 1
    prefetch: int = PREFETCH
    confirms: bool = False
    module: str = "celery_tasks"

    @property
    def name(self) -> str:
        width = f" {self.concurrency}" if self.pool != "solo" else ""
        more = ", our libraries imported" if self.module == "celery_libraries" else ""
        return f"Celery {self.pool}{width}{more}"

    @property
    def configuration(self) -> str:
        confirms = ", confirm_publish" if self.confirms else ""
        heartbeat = ", broker_heartbeat=0" if self.pool == "gevent" else ""
        return (
            f"-P {self.pool} -c {self.concurrency}, prefetch multiplier {self._multiplier}, "
            f"task_acks_late, quorum queue{confirms}{heartbeat}, without gossip, "
            "mingle and task events, results ignored"
        )

    @property
    def _multiplier(self) -> int:
        return max(1, self.prefetch // self.concurrency)

    @property
    def _environment(self) -> dict[str, str]:
        return {
            # With heartbeats Celery 5.7 waits 0.1 s for them after each frame that gevent reads.
            "BENCH_HEARTBEAT": "0" if self.pool == "gevent" else "120",
            "BENCH_CONFIRM": "1" if self.confirms else "0",
            "BENCH_MULTIPLIER": str(self._multiplier),
        }

    def queue(self, place: Place, task: str) -> str:
        return "bench"

    def seed(self, place: Place, task: str) -> None:
        place.run(publish(place, "celery_tasks", "seed", task))

    def worker(self, place: Place) -> Command:
        program = [place.arena.peers.program("celery"), "-A", self.module, "worker"]
        options = ["-P", self.pool, "-c", str(self.concurrency), "--loglevel", "WARNING"]
        quiet = ["--without-gossip", "--without-mingle", "-n", f"{secrets.token_hex(4)}@%h"]
        return Command([*program, *options, *quiet], INSIDE, self._environment)

    def publisher(self, place: Place, *arguments: str) -> Command:
        command = publish(place, "celery_tasks", *arguments)
        return Command(command.arguments, command.folder, self._environment)
