"""Rates of things done, and the processor time that each took."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import Place
from tests.benchmarks.processes import Running, cpu_seconds, families, memory_megabytes, wait_for

#: One measurement of one contender: figures by the names of metrics.
Sample = Mapping[str, float]

#: The share of the work that is not counted: connections are opened, and code is warmed.
WARM_UP = 0.1


@dataclass(frozen=True)
class Moment:
    """What was done up to now, and the processor time that it took."""

    at: float
    count: int
    own: float
    broker: float


def moment(place: Place, running: Sequence[Running]) -> Moment:
    """What is so now."""
    ours = families(process.pid for process in running)
    broker = families([place.arena.rabbitmq_pid()])
    count = place.ticks.read().count
    return Moment(time.time(), count, cpu_seconds(ours), cpu_seconds(broker))


def rate(
    place: Place, running: Sequence[Running], count: int, seconds: float = 180
) -> dict[str, float]:
    """How fast they come to ``count`` ticks, after the first tenth.

    Raises:
        BrokenRunError: they do not.
    """
    warm = max(1, int(count * WARM_UP))
    wait_for(lambda: place.ticks.read().count >= warm, "the first runs", seconds, running, 0.002)
    first = moment(place, running)
    wait_for(
        lambda: place.ticks.read().count >= count, f"{count} runs", seconds, running, pause=0.01
    )
    last = moment(place, running)
    sample = {
        "per_second": _per_second(place, first, last),
        "memory_mb": memory_megabytes(process.pid for process in running),
    }
    if done := last.count - first.count:  # else all was over before it was looked at
        sample["cpu_us"] = (last.own - first.own) / done * 1e6
        sample["broker_cpu_us"] = (last.broker - first.broker) / done * 1e6
    return sample


def _per_second(place: Place, first: Moment, last: Moment) -> float:
    ticks = place.ticks.read()
    if last.count - first.count > ticks.count / 2:
        return (last.count - first.count) / max(1e-6, ticks.last - first.at)
    return ticks.count / max(1e-6, ticks.last - ticks.first)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so many are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
