"""How much is done in a run of the benchmarks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """``factor`` multiplies every count; ``rounds`` is how often everything is measured."""

    name: str
    factor: float
    rounds: int
    short: bool = False

    def count(self, full: int, least: int = 1) -> int:
        """So many of what a full run does ``full`` of."""
        return max(least, int(full * self.factor))


FULL = Scale("full", 1, 5)
MEDIUM = Scale("medium", 0.2, 3)
SHORT = Scale("short", 0.02, 1, short=True)
