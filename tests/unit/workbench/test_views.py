"""Runs of the records as the API shows them, and their waterfall."""

from __future__ import annotations

from typing import Any

from unit.workbench.benches import sources_of

from motia_celery.model.record import Attempt, Entry, LogLine, RunRecord, RunSummary
from motia_celery.model.run import RunError
from motia_celery.workbench.spans import spans_of
from motia_celery.workbench.views import log_line, run_detail, run_view

PLAN = sources_of().plan
ERROR = RunError("ValueError", "no", "steps/makes_step.py:3")


def a_summary(**fields: Any) -> RunSummary:
    known = {"id": "r", "step": "makes", "trigger": "event", "trace_id": "t", "status": "running"}
    return RunSummary(**{**known, "started_ms": 100.0, **fields})


def tried(number: int, started: float, ended: float | None = None, **fields: Any) -> Attempt:
    known = {"span_id": f"s{number}", "worker": "host/1", **fields}
    return Attempt(number=number, started_ms=started, ended_ms=ended, **known)


def test_a_clock_that_is_behind_makes_no_wait_below_zero() -> None:
    view = run_view(a_summary(queued_ms=150.0, ended_ms=90.0, status="completed"), PLAN)
    assert (view.queued_at, view.wait_ms, view.duration_ms) == (100.0, 0.0, 0.0)


def test_a_run_of_a_step_that_is_gone_can_not_be_done_again() -> None:
    run = run_detail(RunRecord(summary=a_summary(step="gone", attempt=3)), PLAN)
    assert (run.can_rerun, run.max_attempts, run.input) == (False, 3, None)


def test_a_run_whose_worker_is_gone_says_so_and_goes_on() -> None:
    record = RunRecord(summary=a_summary(), attempts=(tried(1, 100, is_lost=True),))
    run = run_detail(record, PLAN)
    assert (run.status, run.attempts[0].status) == ("running", "failed")
    assert run.error is not None
    assert run.error.type == "WorkerGone"
    whole, attempt = spans_of([record])
    assert (whole.status, whole.ended_at) == ("running", None)
    assert (attempt.status, attempt.ended_at, attempt.details["lost"]) == ("error", 100, True)


def test_a_run_that_waits_for_its_next_attempt() -> None:
    failed = tried(1, 100, 110, error=ERROR, wait_ms=20, dropped=2)
    record = RunRecord(
        summary=a_summary(status="retrying", error=ERROR, queued_ms=80.0), attempts=(failed,)
    )
    run = run_detail(record, PLAN)
    assert [one.status for one in run.attempts] == ["retrying"]
    whole, wait = spans_of([record])
    assert (whole.status, whole.details["left_out"]) == ("running", 2)
    assert (wait.kind, wait.started_at, wait.ended_at) == ("wait", 80, 100)


def test_attempts_that_were_begun_again_have_spans_of_their_own() -> None:
    lost = tried(1, 100, is_lost=True)
    again = tried(1, 300, 310, span_id="s1b", entries=(Entry(305, "emit", {"topic": "x"}),))
    record = RunRecord(
        summary=a_summary(status="completed", ended_ms=310.0), attempts=(lost, again)
    )
    spans = spans_of([record])
    assert [span.kind for span in spans] == ["run", "attempt", "attempt", "emit"]
    assert spans[3].parent_id == "s1b"
    assert len({span.id for span in spans}) == 4


def test_an_emit_that_was_not_confirmed_is_an_error() -> None:
    entries = (
        Entry(101, "emit", {"topic": "x", "ok": False}),
        Entry(102, "state", {"op": "clear", "group": "g"}),
        Entry(103, "log", {"level": "info", "msg": "not here"}),
    )
    record = RunRecord(summary=a_summary(), attempts=(tried(1, 100, entries=entries),))
    _, emit, state = spans_of([record])
    assert (emit.status, emit.parent_id) == ("error", "r")
    assert (state.name, state.status) == ("clear g", "ok")


def test_data_of_a_line_that_is_no_object_is_shown_too() -> None:
    known = {"at_ms": 1.0, "msg": "m", "step": "s", "run_id": "r", "trace_id": "t", "attempt": 1}
    assert log_line(LogLine(level="warn", data=[1], **known)).fields == {"data": [1]}
    assert log_line(LogLine(level="fatal", **known)).level == "error"
