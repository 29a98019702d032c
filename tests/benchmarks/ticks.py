"""Reading what the measured processes tell by ``inside/bench_ticks.py``."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.inside.bench_ticks import FORMAT, SLOT, SLOTS


@dataclass(frozen=True)
class Ticks:
    """How much was done, and when the first and the last of it were."""

    count: int
    first: float
    last: float


class TickFile:
    """The files of one measurement."""

    def __init__(self, folder: Path) -> None:
        self.ticks = folder / "ticks"
        self.lines = folder / "lines"
        self.reset()

    def reset(self) -> None:
        """Nothing was done yet. No process may be ticking."""
        for slot in self.ticks.parent.glob("ticks.*"):
            slot.unlink()
        self.ticks.write_bytes(bytes(SLOT * SLOTS))
        self.lines.write_bytes(b"")

    @property
    def environment(self) -> dict[str, str]:
        """What the measured processes need to know."""
        return {"BENCH_TICKS": str(self.ticks), "BENCH_LINES": str(self.lines)}

    def read(self) -> Ticks:
        """What all processes did together."""
        slots = list(struct.iter_unpack(f"{FORMAT}8x", self.ticks.read_bytes()))
        used = [slot for slot in slots if slot[0]] or [(0, 0.0, 0.0)]
        return Ticks(
            sum(slot[0] for slot in used),
            min(slot[1] for slot in used),
            max(slot[2] for slot in used),
        )

    def numbers(self) -> list[float]:
        """The lines, where each is a number."""
        return [float(line) for line in self._whole_lines()]

    def times(self) -> dict[str, float]:
        """When each named thing was done."""
        pairs = (line.split(" ") for line in self._whole_lines())
        return {name: float(at) for name, at in pairs}

    def line_count(self) -> int:
        """How many lines there are."""
        return self.lines.read_bytes().count(b"\n")

    def _whole_lines(self) -> list[str]:
        return self.lines.read_text().rpartition("\n")[0].splitlines()
