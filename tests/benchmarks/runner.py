"""Every contender in turn, round after round, so that all see the same machine."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.results import Measured, Result
from tests.benchmarks.workloads.workload import Contender, Workload

Say = Callable[[str], None]


def run(workload: Workload, arena: Arena, say: Say) -> Result:
    """Measures all contenders of one workload; one that breaks is left out, with its error."""
    contenders = [c for c in workload.contenders(arena) if c.short or not arena.scale.short]
    measured = [Measured(c.name, c.configuration, c.ours, c.size) for c in contenders]
    say(f"{workload.name}: {workload.title}")
    with contextlib.ExitStack() as places:
        pairs = [
            (contender, places.enter_context(arena.place(workload.name)), found)
            for contender, found in zip(contenders, measured, strict=True)
        ]
        for contender, place, found in pairs:
            _attempt(found, place, lambda c=contender, p=place: c.prepare(p))  # type: ignore[misc]
        for number in range(min(arena.scale.rounds, workload.rounds)):
            for contender, place, found in _turn(pairs, number):
                _measure(contender, place, found, say)
    metrics = [asdict(metric) for metric in workload.metrics]
    facts = (workload.name, workload.title, workload.about, metrics, workload.reference)
    return Result(*facts, measured, workload.grows)


def _turn(
    pairs: Sequence[tuple[Contender, Place, Measured]], number: int
) -> Sequence[tuple[Contender, Place, Measured]]:
    """In turns forwards and backwards, for a machine that gets slower."""
    return pairs if number % 2 == 0 else pairs[::-1]


def _measure(contender: Contender, place: Place, found: Measured, say: Say) -> None:
    if found.error:
        return

    def measure() -> None:
        found.samples.append(dict(contender.measure(place)))

    began = time.monotonic()
    _attempt(found, place, measure)
    told = f"broken: …{found.error[-300:]}" if found.error else _shown(found.samples[-1])
    say(f"  {contender.name}: {told} ({time.monotonic() - began:.0f} s)")


def _shown(sample: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:,.4g}" for name, value in sample.items())


def _attempt(found: Measured, place: Place, action: Callable[[], None]) -> None:
    """A contender that fails once is broken for good, and must not stop the others."""
    if found.error:
        return
    try:
        action()
    except Exception as error:
        found.error = f"{type(error).__name__}: {error}"
    finally:
        place.kill_all()
        place.ticks.reset()
