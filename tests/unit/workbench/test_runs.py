"""Runs, traces and logs as the records hold them, and a run that is done again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from unit.workbench.benches import Kept, Sent, a_run, serving, sources_of

from motia_celery.workbench.shapes.runs import Payload


class Case:
    def __init__(self, client: httpx.AsyncClient, kept: Kept, sent: Sent) -> None:
        self.client = client
        self.kept = kept
        self.sent = sent


@pytest.fixture
async def case() -> AsyncIterator[Case]:
    kept, sent = (
        Kept(
            a_run("whole", input=Payload(value={"n": 1})),
            a_run("cut", input=Payload(value='{"n', truncated=True)),
            a_run("asked", "asks", trigger="http", topic=None),
            a_run("bare"),
        ),
        Sent(),
    )
    async with serving(sources_of(records=kept, publisher=sent)) as client:
        yield Case(client, kept, sent)


async def test_runs_are_asked_for_with_every_filter(case: Case) -> None:
    filters = {
        "step": ["a", "b"],
        "status": ["failed", "running"],
        "trigger": "cron",
        "flow": "f",
        "trace": "4f",
        "text": "oops",
        "after": "1.5",
        "before": "2",
        "cursor": "more",
        "limit": "7",
    }
    answer = await case.client.get("/runs", params=filters)
    assert (answer.json()["next"], answer.json()["total"]) == ("more", 4)
    (query,) = case.kept.asked
    assert (query.step, query.status, query.trigger) == (
        ("a", "b"),
        ("failed", "running"),
        ("cron",),
    )
    assert (query.after, query.before, query.limit) == (1.5, 2.0, 7)
    assert (query.trace, query.text, query.cursor) == ("4f", "oops", "more")


async def test_a_run_its_trace_and_its_logs(case: Case) -> None:
    run = (await case.client.get("/runs/whole")).json()
    assert (run["step"], run["input"]["value"]) == ("makes", {"n": 1})
    trace = (await case.client.get("/traces/t1")).json()
    assert len(trace["runs"]) == 4
    logs = await case.client.get("/logs", params={"run": "whole", "level": ["error", "warn"]})
    assert logs.json()["lines"][0]["message"] == "hello"
    assert (case.kept.asked[0].run, case.kept.asked[0].level) == ("whole", ("error", "warn"))
    for path in ("/runs/gone", "/traces/gone"):
        assert (await case.client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("run", "body", "data"),
    [
        ("whole", {}, {"n": 1}),
        ("whole", {"edited": {"data": None}}, None),
        ("cut", {"edited": {"data": [2]}}, [2]),
        ("bare", {"edited": {"data": 3}}, 3),
    ],
)
async def test_a_run_is_done_again_by_its_step_alone(
    case: Case, run: str, body: Any, data: Any
) -> None:
    answer = await case.client.post(f"/runs/{run}/rerun", json=body)
    ((event, target),) = case.sent.events
    assert (event.data, event.topic) == (data, "made")
    assert target is not None
    assert target.step == "makes"
    assert answer.json()["event_id"] == event.id
    assert answer.json()["runs"].keys() == {"makes"}


@pytest.mark.parametrize(
    ("run", "body", "status"),
    [
        ("cut", {}, 400),
        ("bare", {}, 400),
        ("asked", {}, 400),
        ("gone", {}, 404),
        ("whole", {"edited": 1}, 422),
    ],
)
async def test_a_run_that_can_not_be_done_again_says_why(
    case: Case, run: str, body: Any, status: int
) -> None:
    answer = await case.client.post(f"/runs/{run}/rerun", json=body)
    assert (answer.status_code, case.sent.events) == (status, [])
    assert answer.json()["error"]


async def test_a_crash_is_told_without_its_cause(case: Case) -> None:
    async def crash(_: str) -> None:
        raise RuntimeError("secret")

    case.kept.run = crash  # type: ignore[assignment,method-assign]
    answer = await case.client.get("/runs/x")
    assert answer.status_code == 500
    assert answer.json()["error"] == "Internal server error."
    assert "secret" not in answer.text


async def test_motias_page_may_forget_all_traces(case: Case) -> None:
    base = str(case.client.base_url).partition("/__workbench")[0]
    answer = await case.client.post(f"{base}/__motia/trace/clear")
    assert (answer.status_code, case.kept.held) == (200, {})
