"""Bare aio-pika, as a publisher."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.arena import Place
from tests.benchmarks.peers.peer import publish
from tests.benchmarks.processes import Command


@dataclass(frozen=True)
class AioPika:
    """Persistent messages, each confirmed, on uvloop."""

    name: str = "aio-pika"
    configuration: str = "one channel with publisher confirms, uvloop, orjson"

    def publisher(self, place: Place, *arguments: str) -> Command:
        return publish(place, "aio_pika_tasks", *arguments)
