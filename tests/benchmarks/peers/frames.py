"""Frames made beforehand: what RabbitMQ takes when a publisher costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.arena import INSIDE, Place
from tests.benchmarks.processes import Command


@dataclass(frozen=True)
class Frames:
    """Copies of one persistent message, each confirmed, on one connection."""

    name: str = "no client"
    configuration: str = "frames of one message, made beforehand, written to a socket"

    def publisher(self, place: Place, *arguments: str) -> Command:
        """``arguments`` are those of ``inside/publish.py``; only ``emit`` is known."""
        action, *counts = arguments
        if action != "emit":
            raise ValueError(f"frames can not {action}")
        program = [str(place.arena.peers.python), str(INSIDE / "frames.py"), *counts]
        return Command(program, INSIDE)
