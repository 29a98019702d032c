"""A workload: something that users do, and who does it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import Arena, Place
from tests.benchmarks.measuring import Sample


@dataclass(frozen=True)
class Metric:
    """A figure of a sample."""

    name: str
    label: str
    unit: str
    more_is_better: bool = False


@dataclass
class Contender(ABC):
    """One system in one configuration at one workload."""

    name: str
    configuration: str
    ours: bool = False
    #: Whether the short run has it too.
    short: bool = False
    #: Where a growing size is what is compared: that size.
    size: float | None = None

    def prepare(self, place: Place) -> None:
        """Done once, before the rounds."""
        return

    @abstractmethod
    def measure(self, place: Place) -> Sample:
        """Done in each round; what it started is ended for it."""


@dataclass(frozen=True)
class Workload:
    """``reference`` is the contender that others are compared with, ``metrics[0]`` the figure."""

    name: str
    title: str
    about: str
    metrics: tuple[Metric, ...]
    reference: str
    contenders: Callable[[Arena], Sequence[Contender]]
    #: What ``size`` of the contenders means, where a figure is told against it.
    grows: str = ""
    #: The most rounds that it is worth.
    rounds: int = 1000


PER_SECOND = Metric("per_second", "per second", "/s", more_is_better=True)
CPU = Metric("cpu_us", "CPU of its processes", "µs")
BROKER_CPU = Metric("broker_cpu_us", "CPU of RabbitMQ", "µs")
MEMORY = Metric("memory_mb", "memory", "MB")
RATES = (PER_SECOND, CPU, BROKER_CPU, MEMORY)
