"""Metrics: counted in this process where runs pass, added up in Redis for all processes.

The way of a run adds integers to a dict and does no more. ``observe/carrier.py`` carries them to
Redis, ``observe/exposition.py`` writes them as Prometheus reads them.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Literal

from motia_celery.model.run import Outcome, Run, Success
from motia_celery.stores.traffic import NOTHING, Passed

#: A count's name and labels; a histogram's has the number of the bucket, or :data:`SUM`, behind.
Key = tuple[str, ...]
SUM = "us"
_BEGUN = Passed(0, 0, 1)
Kind = Literal["counter", "histogram", "gauge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a metric is called, says, and is told apart by; ``bounds`` are seconds."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


RUNS = Metric(
    name="motia_celery_runs_total",
    kind="counter",
    help="Runs that ended for good: success, failure (after the last attempt) or cancelled.",
    labels=("step", "trigger", "outcome"),
)
FAILURES = Metric(
    name="motia_celery_attempt_failures_total",
    kind="counter",
    help="Attempts that failed, whether they were tried again or not.",
    labels=("step", "trigger"),
)
RETRIES = Metric(
    name="motia_celery_retries_total",
    kind="counter",
    help="Failed attempts that are tried again.",
    labels=("step", "trigger"),
)
DURATION = Metric(
    name="motia_celery_run_duration_seconds",
    kind="histogram",
    help="How long one attempt took.",
    labels=("step", "trigger"),
    bounds=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
WAIT = Metric(
    name="motia_celery_run_wait_seconds",
    kind="histogram",
    help="From the emit to the beginning of the first attempt, delays included.",
    labels=("step",),
    bounds=(0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600),
)
NODE_RESTARTS = Metric(
    name="motia_celery_node_restarts_total",
    kind="counter",
    help="Node processes that ended by themselves and were started again.",
)
RECORDS_DROPPED = Metric(
    name="motia_celery_records_dropped_total",
    kind="counter",
    help="Records of runs and logs that could not be kept.",
)
STREAM_SOCKETS = Metric(
    name="motia_celery_stream_sockets",
    kind="gauge",
    help="Clients that follow streams, in each web process.",
    labels=("process",),
)
#: What processes count; the rest is looked up when it is asked for.
COUNTED = (RUNS, FAILURES, RETRIES, DURATION, WAIT, NODE_RESTARTS, RECORDS_DROPPED)


@dataclass(slots=True)
class Tally:
    """What was counted. ``started`` has for each Step when its last run was emitted and began,
    in epoch milliseconds; ``passed`` what was sent to it and what began.
    """

    counts: dict[Key, int] = field(default_factory=dict)
    started: dict[str, tuple[int, int]] = field(default_factory=dict)
    passed: dict[str, Passed] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Takes in what ``other`` counted."""
        for key, count in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + count
        for step, moments in other.started.items():
            self.started[step] = max(self.started.get(step, moments), moments)
        for step, passed in other.passed.items():
            self.passed[step] = passed + self.passed.get(step, NOTHING)

    def __bool__(self) -> bool:
        return bool(self.counts or self.started or self.passed)


#: Is told of each count and observation as it happens, where OpenTelemetry is on.
Listener = Callable[[Metric, float, tuple[str, ...]], None]


@cache
def _keys_of(step: str, trigger: str) -> tuple[Key, Key, tuple[Key, ...]]:
    """What a run that succeeded adds to: its count, the seconds, and each bucket of them."""
    buckets = range(len(DURATION.bounds) + 1)
    return (
        (RUNS.name, step, trigger, "success"),
        (DURATION.name, step, trigger, SUM),
        tuple((DURATION.name, step, trigger, str(number)) for number in buckets),
    )


class Meter:
    """Counts in this process, from any thread."""

    def __init__(self) -> None:
        self.gauges: dict[Metric, Callable[[], int]] = {}
        self.listener: Listener | None = None
        self._forget()
        # What the parent counted is the parent's to tell, and its lock may be held.
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._tally = Tally()
        self.listener = None

    def count(self, metric: Metric, *labels: str, by: int = 1) -> None:
        """Adds to a counter."""
        key = (metric.name, *labels)
        with self._lock:
            counts = self._tally.counts
            counts[key] = counts.get(key, 0) + by
        if self.listener is not None:
            self.listener(metric, by, labels)

    def observe(self, metric: Metric, seconds: float, *labels: str) -> None:
        """Adds an observation to a histogram."""
        bucket = (metric.name, *labels, str(bisect_left(metric.bounds, seconds)))
        total = (metric.name, *labels, SUM)
        with self._lock:
            counts = self._tally.counts
            counts[bucket] = counts.get(bucket, 0) + 1
            counts[total] = counts.get(total, 0) + int(seconds * 1_000_000)
        if self.listener is not None:
            self.listener(metric, seconds, labels)

    def timed(self, run: Run) -> Timed:
        """Measures what is run within it."""
        return Timed(self, run)

    def sent(self, steps: Iterable[str]) -> None:
        """A message was sent to each of these Steps."""
        now = int(time.time() * 1000)
        with self._lock:
            all_passed = self._tally.passed
            for step in steps:
                before = all_passed.get(step, NOTHING)
                first = before.first_ms if before.sent else now
                all_passed[step] = Passed(before.sent + 1, first, before.begun)

    def _pass(self, step: str, passed: Passed) -> None:
        before = self._tally.passed.get(step)
        self._tally.passed[step] = passed if before is None else before + passed

    def began(self, run: Run, sent_ms: int | None) -> None:
        """A run begins that was emitted at ``sent_ms``; only its first attempt waited for it."""
        with self._lock:
            self._pass(run.step, _BEGUN)
        if sent_ms is None or run.attempt > 1:
            return
        now = int(time.time() * 1000)
        self.observe(WAIT, max(0, now - sent_ms) / 1000, run.step)
        with self._lock:
            before = self._tally.started.get(run.step, (0, 0))
            self._tally.started[run.step] = max(before, (sent_ms, now))

    def succeeded(self, run: Run, seconds: float) -> None:
        """A run succeeded, and its last attempt took so long."""
        step, trigger = run.step, run.trigger
        over, total, buckets = _keys_of(step, trigger)
        bucket = buckets[bisect_left(DURATION.bounds, seconds)]
        with self._lock:
            counts = self._tally.counts
            counts[over] = counts.get(over, 0) + 1
            counts[bucket] = counts.get(bucket, 0) + 1
            counts[total] = counts.get(total, 0) + int(seconds * 1_000_000)
        if self.listener is not None:
            self.listener(DURATION, seconds, (step, trigger))
            self.listener(RUNS, 1, (step, trigger, "success"))

    def failed(self, run: Run, *, again: bool) -> None:
        """An attempt failed, and is tried ``again`` or was the last."""
        self.count(FAILURES, run.step, run.trigger)
        if again:
            self.count(RETRIES, run.step, run.trigger)
        else:
            self.count(RUNS, run.step, run.trigger, "failure")

    def take(self) -> Tally:
        """What was counted since the last time."""
        with self._lock:
            tally, self._tally = self._tally, Tally()
        return tally

    def put_back(self, tally: Tally) -> None:
        """Counts what was taken and could not be told."""
        with self._lock:
            self._tally.add(tally)

    def read_gauges(self) -> Mapping[str, int]:
        """The gauges of this process, by name."""
        return {metric.name: read() for metric, read in self.gauges.items()}


class Timed:
    """One attempt under way; give it the ``outcome``."""

    __slots__ = ("_began", "_meter", "_run", "outcome")

    def __init__(self, meter: Meter, run: Run) -> None:
        self._meter = meter
        self._run = run
        self.outcome: Outcome | None = None

    def __enter__(self) -> Timed:
        self._began = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        run, meter = self._run, self._meter
        seconds = time.perf_counter() - self._began
        if isinstance(self.outcome, Success):
            meter.succeeded(run, seconds)
            return
        meter.observe(DURATION, seconds, run.step, run.trigger)
        if run.trigger == "http":
            # Whether an event's attempt was the last one is decided after it.
            meter.failed(run, again=False)


#: This process's meter.
meter = Meter()
