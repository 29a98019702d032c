"""Rules of counting in one process, and of Prometheus's text."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from motia_celery.errors import StoreUnavailableError
from motia_celery.model.run import Failure, Run, RunError, Success
from motia_celery.model.trace import Trace
from motia_celery.observe.carrier import Carrier
from motia_celery.observe.exposition import Sample, counted, gauge
from motia_celery.observe.metrics import (
    COUNTED,
    DURATION,
    FAILURES,
    NODE_RESTARTS,
    RETRIES,
    RUNS,
    STREAM_SOCKETS,
    WAIT,
    Meter,
    Tally,
)
from motia_celery.observe.otel_metrics import Export, chosen_exporter


def run(trigger: Any = "event", attempt: int = 1) -> Run:
    return Run(id="1", step="s", trigger=trigger, input=None, trace=Trace.start(), attempt=attempt)


def timed(meter: Meter, one: Run, outcome: Any) -> dict[Any, int]:
    with meter.timed(one) as attempt:
        attempt.outcome = outcome
    return meter.take().counts


def test_a_success_is_a_run_that_ended() -> None:
    counts = timed(Meter(), run(), Success())
    assert counts[RUNS.name, "s", "event", "success"] == 1
    assert sum(n for key, n in counts.items() if key[0] == DURATION.name and key[-1] != "us") == 1


def test_a_failed_request_ended_for_good() -> None:
    counts = timed(Meter(), run("http"), Failure(RunError("ValueError", "no")))
    assert counts[RUNS.name, "s", "http", "failure"] == 1
    assert counts[FAILURES.name, "s", "http"] == 1


def test_a_failed_attempt_of_an_event_is_counted_when_its_end_is_known() -> None:
    meter = Meter()
    assert not [
        key
        for key in timed(meter, run(), Failure(RunError("E", "")))
        if key[0] in (RUNS.name, FAILURES.name)
    ]
    meter.failed(run(), again=True)
    meter.failed(run(), again=False)
    assert meter.take().counts == {
        (FAILURES.name, "s", "event"): 2,
        (RETRIES.name, "s", "event"): 1,
        (RUNS.name, "s", "event", "failure"): 1,
    }


async def test_a_run_that_was_cut_has_a_duration_and_lets_its_error_through() -> None:
    meter = Meter()
    with pytest.raises(asyncio.CancelledError), meter.timed(run()):
        raise asyncio.CancelledError
    assert {key[0] for key in meter.take().counts} == {DURATION.name}


def test_the_wait_is_that_of_the_first_attempt() -> None:
    meter = Meter()
    sent = int(time.time() * 1000) - 2000
    meter.began(run(attempt=2), sent)
    meter.began(run(), None)
    tally = meter.take()
    assert not tally.counts
    assert tally.passed["s"].begun == 2
    meter.began(run(), sent)
    tally = meter.take()
    assert tally.counts[WAIT.name, "s", str(WAIT.bounds.index(2.5))] == 1
    assert tally.started["s"][0] == sent


def test_a_clock_that_is_ahead_makes_no_negative_wait() -> None:
    meter = Meter()
    meter.began(run(), int(time.time() * 1000) + 60_000)
    assert meter.take().counts[WAIT.name, "s", "0"] == 1


def test_no_count_is_lost_between_threads() -> None:
    meter = Meter()
    taken = Tally()

    def count() -> None:
        for _ in range(5000):
            meter.count(NODE_RESTARTS)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken.add(meter.take())
    taken.add(meter.take())
    assert taken.counts == {(NODE_RESTARTS.name,): 20_000}


def test_a_forked_process_counts_from_nothing() -> None:
    meter = Meter()
    meter.count(NODE_RESTARTS, by=7)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        meter.count(NODE_RESTARTS)
        os.write(writing, str(meter.take().counts[NODE_RESTARTS.name,]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"1"
    assert meter.take().counts == {(NODE_RESTARTS.name,): 7}


# --- carrying -------------------------------------------------------------------------------


class Store:
    """Stands for Redis; away for the first ``away`` calls."""

    def __init__(self, away: int = 0) -> None:
        self.away = away
        self.tally = Tally()
        self.said: dict[str, Any] = {}
        self.added = threading.Event()

    def add(self, counts: Any, started: Any, passed: Any) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailableError("away.")
        self.tally.add(Tally(dict(counts), dict(started), dict(passed)))
        self.added.set()

    def say(self, process: str, gauges: Any) -> None:
        self.said[process] = dict(gauges)

    def leave(self, process: str) -> None:
        self.said.pop(process, None)


def test_counts_wait_until_the_store_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motia_celery.observe.carrier.SECONDS", 0.01)
    meter, store = Meter(), Store(away=3)
    carrier = Carrier(meter, lambda: store)  # type: ignore[arg-type, return-value]
    meter.count(NODE_RESTARTS, by=2)
    carrier.ensure()
    meter.count(NODE_RESTARTS)
    assert store.added.wait(60)
    meter.count(NODE_RESTARTS)
    carrier.close()
    assert store.tally.counts == {(NODE_RESTARTS.name,): 4}


def test_what_a_process_has_is_told_and_forgotten_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("motia_celery.observe.carrier.SECONDS", 0.01)
    meter, store = Meter(), Store()
    meter.gauges[STREAM_SOCKETS] = lambda: 5
    carrier = Carrier(meter, lambda: store)  # type: ignore[arg-type, return-value]
    carrier.ensure()
    meter.count(NODE_RESTARTS)
    assert store.added.wait(60)
    carrier._thread.join(0.2)
    assert list(store.said.values()) == [{STREAM_SOCKETS.name: 5}]
    carrier.close()
    assert store.said == {}


def test_an_export_that_can_not_begin_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motia_celery.observe.carrier.SECONDS", 0.01)
    meter, store = Meter(), Store()

    class Broken(Export):
        def start(self) -> None:
            raise RuntimeError("no exporter")

    carrier = Carrier(meter, lambda: store, lambda: Broken(meter, {}, "x"))  # type: ignore[arg-type, return-value]
    carrier.ensure()
    meter.count(NODE_RESTARTS)
    assert store.added.wait(60)
    carrier.close()


# --- Prometheus -----------------------------------------------------------------------------


def parsed(lines: Any) -> dict[str, Any]:
    families = text_string_to_metric_families("\n".join(lines) + "\n")
    return {family.name: family for family in families}


def test_every_name_survives_prometheus() -> None:
    odd = 'a "b" \\ \n c{}=,é'
    counts = {(RUNS.name, odd, "event", "success"): 3}
    family = parsed(counted(COUNTED, counts))["motia_celery_runs"]
    (sample,) = family.samples
    assert (sample.labels["step"], sample.value) == (odd, 3)
    (sample,) = parsed(gauge(STREAM_SOCKETS, [Sample((odd,), 1.5)]))[STREAM_SOCKETS.name].samples
    assert (sample.labels["process"], sample.value) == (odd, 1.5)


def test_a_histogram_is_cumulative_and_ends_with_infinity() -> None:
    meter = Meter()
    for seconds in (0.001, 0.005, 0.02, 1000.0):
        meter.observe(DURATION, seconds, "s", "event")
    family = parsed(counted(COUNTED, meter.take().counts))[DURATION.name]
    assert family.type == "histogram"
    buckets = {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}
    assert (buckets["0.005"], buckets["0.01"], buckets["0.025"]) == (2, 2, 3)
    assert (buckets["300"], buckets["+Inf"]) == (3, 4)
    assert list(buckets.values()) == sorted(buckets.values())
    told = {
        s.name.removeprefix(DURATION.name): s.value for s in family.samples if "le" not in s.labels
    }
    assert told == {"_count": 4, "_sum": pytest.approx(1000.026)}


def test_metrics_are_named_as_prometheus_asks() -> None:
    for metric in COUNTED:
        assert metric.name.startswith("motia_celery_")
        assert metric.name.endswith("_total") is (metric.kind == "counter")
        assert metric.name.endswith("_seconds") is (metric.kind == "histogram")


# --- OpenTelemetry --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4318"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://a:4318"}, "otlp"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:4318"}, None),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, "otlp"),
        ({"OTEL_METRICS_EXPORTER": "OTLP "}, "otlp"),
        ({"OTEL_METRICS_EXPORTER": "console"}, "console"),
        ({"OTEL_METRICS_EXPORTER": "prometheus,otlp"}, "otlp"),
        ({"OTEL_METRICS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, None),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_METRICS_EXPORTER": "otlp"}, None),
    ],
)
def test_nothing_is_exported_unless_opentelemetrys_variables_ask(
    environ: dict[str, str], chosen: str | None
) -> None:
    assert chosen_exporter(environ) == chosen
