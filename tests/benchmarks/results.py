"""What was measured, and what follows from it: medians, spread, ratios, and where we lose."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

#: Below this a difference is within what rounds differ by on a shared machine.
EVEN = 0.05


@dataclass
class Measured:
    """One contender's samples, in the order of the rounds; ``error`` says why there is none."""

    name: str
    configuration: str
    ours: bool
    size: float | None = None
    samples: list[dict[str, float]] = field(default_factory=list)
    error: str = ""

    def values(self, metric: str) -> list[float]:
        """All values of a metric."""
        return [sample[metric] for sample in self.samples if metric in sample]

    def median(self, metric: str) -> float | None:
        """The middle value; None where nothing was measured."""
        values = self.values(metric)
        return statistics.median(values) if values else None

    def spread(self, metric: str) -> float:
        """Half of what lies between the least and the most, as a share of the median."""
        values = self.values(metric)
        middle = statistics.median(values) if values else 0
        return (max(values) - min(values)) / 2 / middle if middle else 0.0


@dataclass
class Result:
    """One workload with its contenders."""

    name: str
    title: str
    about: str
    metrics: list[dict[str, Any]]
    reference: str
    contenders: list[Measured]
    grows: str = ""
    #: How much of it was done, where that is not what the whole report says.
    scale: str = ""

    @property
    def headline(self) -> dict[str, Any]:
        """The metric that ratios are of."""
        return self.metrics[0]

    def contender(self, name: str) -> Measured | None:
        """The contender of this name."""
        return next((c for c in self.contenders if c.name == name), None)

    def ratio(self, one: Measured, metric: str | None = None) -> float | None:
        """The median over the rounds of its value by that of the reference in the same round."""
        reference = self.contender(self.reference)
        if reference is None:
            return None
        return ratio(one, reference, metric or self.headline["name"])

    def better(self, one: Measured, other: Measured) -> float | None:
        """How many times as good ``one`` is by the first metric: above 1 is better."""
        found = ratio(one, other, self.headline["name"])
        if found is None or found <= 0:
            return None
        return found if self.headline["more_is_better"] else 1 / found


def ratio(one: Measured, other: Measured, metric: str) -> float | None:
    """Rounds are paired, so that what slowed a whole round down does not count."""
    pairs = zip(one.values(metric), other.values(metric), strict=False)
    found = [mine / theirs for mine, theirs in pairs if theirs]
    return statistics.median(found) if found else None


@dataclass
class Report:
    """A whole run: when, where, with which versions, and what came of it."""

    made: str
    machine: dict[str, Any]
    versions: dict[str, str]
    scale: dict[str, Any]
    results: list[Result]
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """What JSON holds of it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """A report that was written."""
        results = [
            Result(**{**found, "contenders": [Measured(**c) for c in found["contenders"]]})
            for found in data["results"]
        ]
        return cls(**{**data, "results": results})

    @classmethod
    def merged(cls, reports: Sequence[Report]) -> Report:
        """One report of several runs on one machine; of a workload in two, the later one's."""
        first, last = reports[0], reports[-1]
        results: dict[str, Result] = {}
        for report in reports:
            differs = report.scale != first.scale
            told = f"Counts × {report.scale['factor']:g}, {report.scale['rounds']} rounds."
            for result in report.results:
                results[result.name] = replace(result, scale=told if differs else "")
        made = sorted(report.made for report in reports)
        return cls(
            made[0] if made[0] == made[-1] else f"{made[0]} to {made[-1]}",
            first.machine,
            first.versions | last.versions,
            first.scale,
            list(results.values()),
            list(dict.fromkeys(note for report in reports for note in report.notes)),
        )

    @property
    def broken(self) -> list[tuple[str, Measured]]:
        """The contenders that did not work, with their workloads."""
        return [(r.title, c) for r in self.results for c in r.contenders if c.error]

    def losses(self) -> list[str]:
        """A sentence for each comparison in which one of our defaults is behind a peer."""
        return [line for result in self.results for line in _losses(result)]


def _losses(result: Result) -> Iterator[str]:
    own = [c for c in result.contenders if c.ours and c.samples and "off" not in c.name]
    peers = [c for c in result.contenders if not c.ours and c.samples]
    for mine in own:
        behind = _behind(result, mine, peers)
        if behind:
            yield f"{result.title}: {mine.name} is {behind}"


def _behind(result: Result, mine: Measured, peers: Sequence[Measured]) -> str:
    equals = [peer for peer in peers if peer.size == mine.size]
    found = [(result.better(mine, peer), peer) for peer in equals]
    lost = [(share, peer) for share, peer in found if share and share < 1 - EVEN]
    lost.sort(key=lambda pair: pair[0])
    return ", ".join(f"{share:.2f} × {peer.name}{_cpu(mine, peer)}" for share, peer in lost)


def _cpu(mine: Measured, peer: Measured) -> str:
    """Processor time tells more than the clock does on a machine that others use too."""
    share = ratio(mine, peer, "cpu_us")
    return f" (with {share:.2f} × its processor time)" if share else ""
