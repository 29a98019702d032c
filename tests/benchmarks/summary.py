"""A report in short: what is ours by that of its peers, with the defaults and without records."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.ours import DIRECT, DIRECT_OFF
from tests.benchmarks.results import Measured, Report, Result, ratio


@dataclass(frozen=True)
class Comparison:
    """A metric of ours by that of the best of these peers, in one workload."""

    workload: str
    told: str
    peers: tuple[str, ...]
    metric: str = ""
    name: str = DIRECT.name
    off: str = DIRECT_OFF.name


_QUEUES = ("Taskiq", "Dramatiq", "FastStream")
_CELERY_CHAINS = tuple(
    f"FastAPI + Celery {kind}" for kind in ("threads", "threads, confirms", "solo")
)
_TYPESCRIPT, _PYTHON = f"TypeScript: {DIRECT.name}", f"Python: {DIRECT.name}"

COMPARISONS = (
    Comparison("drain", "Steps that do nothing: rate", ("Celery solo",)),
    Comparison("drain", "Steps that do nothing: rate", _QUEUES),
    Comparison("emit", "Emits: rate", ("Celery solo, no confirm",)),
    Comparison("emit", "Emits: rate", ("Celery solo, confirm",)),
    Comparison("emit", "Emits: rate", ("aio-pika, 100 in flight",)),
    Comparison("chain", "Chain: rate", _CELERY_CHAINS),
    Comparison("chain", "Chain: rate", ("FastAPI + Taskiq",)),
    Comparison("chain", "Chain: p99 when saturated", ("FastAPI + Taskiq",), "p99_ms"),
    Comparison("chain", "Chain: p50 at 200/s", ("FastAPI + Taskiq",), "steady_p50_ms"),
    Comparison("chain", "Chain: rate", ("Motia 0.17 (p50 and p99 of one client)",)),
    Comparison("route", "Route: rate", ("FastAPI",)),
    Comparison("waiting", "Steps that wait: time", ("Taskiq",)),
    Comparison("latency", "From emit to handler: p50", ("FastStream",)),
    Comparison("latency", "From emit to handler: p50", ("Celery solo",)),
    Comparison("state", "State set and read: rate", ("redis-py",)),
    Comparison("drain-node", "TypeScript, doing nothing: rate", (_PYTHON,), name=_TYPESCRIPT),
    Comparison("chain-node", "TypeScript, chain: rate", (_PYTHON,), name=_TYPESCRIPT),
    Comparison("memory-web", "Memory of an idle web process", ("FastAPI, our libraries imported",)),
    Comparison(
        "memory-worker", "Memory of an idle worker", ("Celery solo, our libraries imported",)
    ),
)


def rows(report: Report) -> list[tuple[str, str, str, str]]:
    """What is compared, with which peer, and both ratios; what was not measured is left out."""
    found = {result.name: result for result in report.results}
    return [
        row
        for comparison in COMPARISONS
        if (result := found.get(comparison.workload)) and (row := _row(result, comparison))
    ]


def _row(result: Result, comparison: Comparison) -> tuple[str, str, str, str] | None:
    metric = comparison.metric or str(result.headline["name"])
    peer = _best(result, comparison.peers, metric)
    mine = result.contender(comparison.name)
    if peer is None or mine is None or not mine.samples:
        return None
    off = result.contender(comparison.off)
    return comparison.told, peer.name, _share(mine, peer, metric), _share(off, peer, metric)


def _best(result: Result, names: tuple[str, ...], metric: str) -> Measured | None:
    peers = [peer for name in names if (peer := result.contender(name)) and peer.samples]
    wanted = {m["name"]: bool(m.get("more_is_better")) for m in result.metrics}
    return max(
        peers,
        key=lambda peer: (peer.median(metric) or 0) * (1 if wanted.get(metric) else -1),
        default=None,
    )


def _share(one: Measured | None, other: Measured, metric: str) -> str:
    share = ratio(one, other, metric) if one else None
    return "" if share is None else f"{share:,.0f} ×" if share >= 100 else f"{share:.2f} ×"
