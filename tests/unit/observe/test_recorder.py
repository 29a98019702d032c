"""The recorder: what a run does is noted in memory, and written by a thread that may fail."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from motia_celery.errors import StoreUnavailableError
from motia_celery.model.event import Event
from motia_celery.model.run import Failure, Run, RunError, Success
from motia_celery.model.trace import Trace
from motia_celery.observe import recorder as module
from motia_celery.observe.recorder import Recorder
from motia_celery.observe.recording import ENTRIES_KEPT, Recording
from motia_celery.settings import load_settings
from motia_celery.stores.records import RefusedError, Summary, Written


class Kept:
    """In the place of Redis: keeps what is written, or fails as it is told."""

    def __init__(self) -> None:
        self.runs: list[Written] = []
        self.lines: list[Any] = []
        self.told: list[Any] = []
        self.fault: Exception | None = None
        self.calls = 0
        self.go = threading.Event()
        self.go.set()

    def write(self, runs: Any, lines: Any, worker: str, summary: Summary) -> int:
        self.go.wait(60)
        self.calls += 1
        if self.fault is not None:
            raise self.fault
        self.runs += runs
        self.lines += map(orjson.loads, lines)
        self.told += orjson.loads(summary(runs))
        return 0

    def close(self) -> None:
        pass


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def make(kept: Kept, request: pytest.FixtureRequest) -> Callable[..., Recorder]:
    def made(**settings: Any) -> Recorder:
        recorder = Recorder(load_settings(environ={}, **settings), lambda: kept)  # type: ignore[arg-type, return-value]
        request.addfinalizer(recorder.close)
        return recorder

    return made


def run(**fields: Any) -> Run:
    given = {"id": "r", "step": "a", "trigger": "event", "input": {"n": 1}, "max_attempts": 3}
    return Run(**{**given, "trace": Trace.start(), **fields})


def begun(recorder: Recorder, **fields: Any) -> Recording:
    recording = recorder.begin(run(**fields))
    assert recording is not None
    return recording


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return value


def test_a_run_that_ends_within_an_interval_is_written_once(make, kept: Kept) -> None:
    recording = begun(make(), due_ms=round(time.time() * 1000) - 50)
    recording.emitted(Event(topic="t", data={"token": "x"}), ok=True)
    recording.ended(Success({"password": "x", "n": 2}))
    (written,) = until(lambda: kept.runs)
    attempt = orjson.loads(written.attempt)
    assert (written.id, written.status, written.number) == ("r", "completed", 1)
    assert orjson.loads(written.input) == {"n": 1}
    assert attempt["output"] == {"password": "[redacted]", "n": 2}
    assert 45 <= attempt["wait"] < 10_000
    ((_, kind, fields),) = attempt["entries"]
    assert (kind, fields["topic"], fields["data"]) == ("emit", "t", {"token": "[redacted]"})
    assert kept.told[0]["status"] == "completed"


def test_a_run_that_goes_on_is_written_as_running_and_then_as_ended(make, kept: Kept) -> None:
    recording = begun(make())
    until(lambda: kept.runs)
    recording.ended(Failure(RunError("ValueError", "no")))
    until(lambda: len(kept.runs) == 2)
    assert [written.status for written in kept.runs] == ["running", "retrying"]
    assert orjson.loads(kept.runs[1].error)["message"] == "no"


def test_a_run_that_goes_on_is_written_again_after_a_while_only(
    make, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(module, "REWRITE_SECONDS", 60)
    recording = begun(make())
    for number in range(20):
        recording.emitted(Event(topic="t", data=number), ok=True)
        time.sleep(0.02)
    assert [written.status for written in kept.runs] == ["running"]
    recording.ended(Success(None))
    until(lambda: len(kept.runs) == 2)
    assert len(orjson.loads(kept.runs[1].attempt)["entries"]) == 20


def test_what_was_written_once_is_there_when_the_run_is_written_again(
    make, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REWRITE_SECONDS", 0)
    recording = begun(make())
    for number in range(3):
        recording.emitted(Event(topic="t", data={"n": number, "token": "x"}), ok=True)
        until(lambda told=number + 1: _entries_written(kept) == told)
    entries = orjson.loads(kept.runs[-1].attempt)["entries"]
    assert [fields["data"] for _, _, fields in entries] == [
        {"n": number, "token": "[redacted]"} for number in range(3)
    ]


def _entries_written(kept: Kept) -> int:
    return max((len(orjson.loads(run.attempt).get("entries", ())) for run in kept.runs), default=0)


@pytest.mark.parametrize(
    ("encoded", "shown"),
    [
        (b'{"n":1}', {"n": 1}),
        (b'{"password":"x"}', {"password": "[redacted]"}),
        (b'"' + b"y" * 5_000 + b'"', "… (5,000 characters)"),
    ],
)
def test_the_data_of_an_emit_is_kept_as_it_was_sent(make, kept: Kept, encoded, shown) -> None:
    recording = begun(make(record_value_bytes=1_000))
    event = Event(topic="t", data=orjson.loads(encoded), encoded=encoded)
    recording.emitted(event, ok=True)
    recording.ended(Success(None))
    (written,) = until(lambda: kept.runs)
    ((_, _, fields),) = orjson.loads(written.attempt)["entries"]
    if isinstance(shown, str):
        assert fields["data"].endswith(shown)
    else:
        assert fields["data"] == shown


def test_a_request_does_not_stay_until_its_record_is_written(make) -> None:
    class Request(dict[str, Any]):
        """What holds the connection."""

    request = Request(body={"n": 1})
    recording = begun(make(), trigger="http", input=request)
    gone = weakref.ref(request)
    del request
    assert gone() is None
    assert orjson.loads(recording.input.text)["body"] == {"n": 1}


@pytest.mark.parametrize(
    ("fields", "final", "status"),
    [
        ({"attempt": 2}, False, "retrying"),
        ({"attempt": 3}, False, "failed"),
        ({"attempt": 1}, True, "failed"),
        ({"trigger": "http"}, False, "failed"),
    ],
)
def test_what_a_failure_leads_to(make, kept: Kept, fields, final, status) -> None:
    begun(make(), **fields).ended(Failure(RunError("E", "no", final=final)))
    (written,) = until(lambda: kept.runs)
    assert written.status == status


def test_a_value_is_noted_as_it_was(make, kept: Kept) -> None:
    """A handler may change its input, and what it has emitted, before they are written."""
    data = {"n": 1}
    recording = begun(make(), input=data)
    recording.state_changed("set", "g", "k", data)
    data["n"] = 2
    recording.ended(Success())
    (written,) = until(lambda: kept.runs)
    assert orjson.loads(written.input) == {"n": 1}
    assert orjson.loads(written.attempt)["entries"][0][2]["value"] == {"n": 1}


def test_entries_and_their_values_are_bounded(make, kept: Kept) -> None:
    recorder = make(record_value_bytes=1000)
    many, large = begun(recorder, id="many"), begun(recorder, id="large")
    for number in range(ENTRIES_KEPT + 5):
        many.state_changed("set", "g", str(number))
        large.state_changed("set", "g", str(number), "x" * 5000)
    for recording in (many, large):
        recording.ended(Success("x" * 5000))
    until(lambda: {written.id for written in kept.runs} == {"many", "large"})
    by_id = {written.id: orjson.loads(written.attempt) for written in kept.runs}
    assert len(by_id["many"]["entries"]) == ENTRIES_KEPT
    assert by_id["many"]["dropped"] == 5
    assert by_id["large"]["dropped"] > ENTRIES_KEPT / 2
    assert all(len(written.attempt) < 30_000 for written in kept.runs)


def test_successes_are_sampled_by_trace_and_failures_never_are(make, kept: Kept) -> None:
    recorder = make(record_successes=0.5)
    low, high = Trace("0" * 31 + "1", "1" * 16), Trace("f" * 32, "1" * 16)
    for number in range(3):
        begun(recorder, id=f"low{number}", trace=low).ended(Success())
        begun(recorder, id=f"high{number}", trace=high).ended(Success())
    failing = begun(recorder, id="failing", trace=high)
    failing.logged("info", "told")
    failing.ended(Failure(RunError("E", "no")))
    again = begun(recorder, id="failing", trace=high, attempt=2)
    again.ended(Success())
    until(lambda: len(kept.runs) == 5)
    assert {written.id for written in kept.runs} == {"low0", "low1", "low2", "failing"}
    assert [line["msg"] for line in kept.lines] == ["told"]


def test_what_becomes_of_a_run_is_written_without_its_attempt(make, kept: Kept) -> None:
    recorder = make()
    recorder.settled(run(attempt=2), "retrying", RunError("E", "no"), retry_seconds=10)
    (written,) = until(lambda: kept.runs)
    assert (written.span, written.status, written.ended) == ("", "retrying", None)
    assert written.retry - written.at == pytest.approx(10_000, abs=1)


def test_while_redis_is_away_recordings_wait_and_past_a_bound_they_are_dropped(
    make, kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning, and no run hears of it."""
    monkeypatch.setattr(module, "BACKLOG", 20)
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.01)
    kept.fault = StoreUnavailableError("refused.", "redis://x")
    recorder = make()
    begun(recorder, id="first").ended(Success())
    until(lambda: kept.calls > 3)
    for number in range(100):
        recording = recorder.begin(run(id=str(number)))
        if recording is not None:
            recording.ended(Success())
    assert len(caplog.records) == 1
    assert "the runs go on" in caplog.text
    kept.fault = None
    until(lambda: len(kept.runs) >= 21)
    assert {written.id for written in kept.runs} == {"first", *map(str, range(20))}


def test_what_redis_refuses_is_dropped(make, kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    """A batch that it can not write must not keep the next ones from it."""
    kept.fault = RefusedError("OOM command not allowed")
    recorder = make()
    begun(recorder, id="a").ended(Success())
    until(lambda: kept.calls)
    kept.fault = None
    begun(recorder, id="b").ended(Success())
    until(lambda: kept.runs)
    assert [written.id for written in kept.runs] == ["b"]
    assert "OOM" in caplog.text


def test_closing_writes_what_waits_within_its_time(make, kept: Kept) -> None:
    recorder = make()
    begun(recorder).ended(Success())
    recorder.close()
    assert [written.status for written in kept.runs] == ["completed"]
    slow = make()
    begun(slow).ended(Success())
    kept.go.clear()
    started = time.monotonic()
    slow.close(timeout_seconds=0.2)
    assert time.monotonic() - started < 30
    kept.go.set()


def test_a_forked_child_records_by_itself(make, kept: Kept) -> None:
    """Its parent's thread is not there any more, and what waits is its parent's."""
    recorder = make()
    begun(recorder, id="parent")
    until(lambda: kept.runs)
    begun(recorder, id="waits")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        kept.runs.clear()
        begun(recorder, id="child").ended(Success())
        recorder.close()
        told = ",".join(written.id for written in kept.runs)
        os.write(writing, f"{told} {recorder.worker}".encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    ids, worker = os.read(reading, 1000).decode().split()
    os.close(reading)
    assert ids == "child"
    assert f"/{child}#" in worker
    assert worker != recorder.worker


def test_an_idle_recorder_sleeps(make, kept: Kept) -> None:
    recorder = make()
    begun(recorder).ended(Success())
    until(lambda: kept.runs)
    until(lambda: recorder._is_idle)
    calls = kept.calls
    begun(recorder, id="next").ended(Success())
    until(lambda: len(kept.runs) == 2)
    assert kept.calls == calls + 1


def test_turned_off_there_is_nothing(make) -> None:
    recorder = make(records=False)
    assert recorder.begin(run()) is None
    recorder.settled(run(), "failed")
    assert recorder._thread is None


def test_a_request_is_kept_without_its_text(make, kept: Kept) -> None:
    """The text is the body once more, and what is in it can not be masked by keys."""
    request = {"body": {"secret": "x"}, "rawBody": "secret=x", "headers": {"cookie": "x"}}
    begun(make(), trigger="http", input=request).ended(Success())
    (written,) = until(lambda: kept.runs)
    found = orjson.loads(written.input)
    assert found["body"] == {"secret": "[redacted]"}
    assert found["headers"] == {"cookie": "[redacted]"}
    assert "rawBody" not in found
