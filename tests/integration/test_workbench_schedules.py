"""Schedules in the Workbench of a running app: in time, late, missed and overlapping ticks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from integration.apps import Project, wait_until
from integration.workbench import Bench

SLOW = """
import asyncio

config = {"type": "cron", "name": "slow", "cron": "*/2 * * * * *", "emits": []}


async def handler(context):
    await asyncio.sleep(5)
"""


@pytest.fixture
def bench(make_project: Callable[..., Project]) -> Iterator[Bench]:
    """An app on Redis with a Step that takes longer than its schedule's pauses."""
    project = make_project(None)
    (project.folder / "steps" / "slow_step.py").write_text(SLOW)
    with closing(Bench(project)) as made:
        yield made


def schedule(bench: Bench, name: str) -> dict[str, Any]:
    """What is told of a schedule."""
    return dict(next(one for one in bench.get("/schedules") if one["name"] == name))


def test_ticks_are_told_with_their_runs_and_those_that_were_missed(bench: Bench) -> None:
    new = schedule(bench, "slow")
    assert (new["beats"], new["last_at"], new["ticks"], new["overdue"]) == (False, None, [], 0)
    assert new["due_at"] % 2000 == 0
    bench.project.worker()
    beat = bench.project.command("beat")

    def overlapping() -> dict[str, Any] | None:
        known = schedule(bench, "slow")
        is_told = any(tick["overlaps"] for tick in known["ticks"])
        return known if is_told and known["overlaps"] and known["running"] > 1 else None

    known = wait_until(overlapping, "two runs at once", 60, 0.5)
    assert known["beats"]
    assert known["overlaps"] >= len([tick for tick in known["ticks"] if tick["overlaps"]])
    assert known["misses"] == []
    told = [tick for tick in known["ticks"] if tick["status"]]
    assert all(tick["at"] % 2000 == 0 and tick["late_ms"] >= 0 for tick in told)
    tick = told[-1]
    run = bench.get(f"/runs/{tick['run_id']}")
    assert (run["step"], run["trigger"]) == ("slow", "cron")
    assert tick["late_ms"] == run["started_at"] - tick["at"]
    assert bench.get("/steps/slow")["schedules"][0]["expression"] == "*/2 * * * * *"
    quick = schedule(bench, "tick/tock")
    assert (quick["overlaps"], quick["overdue"]) == (0, 0)

    beat.kill()
    late = wait_until(lambda: schedule(bench, "slow")["overdue"] >= 2 or None, "nobody sends", 60)
    assert late
    before = schedule(bench, "slow")
    bench.project.command("beat")
    missed = wait_until(lambda: schedule(bench, "slow")["misses"], "it is noted", 60, 0.5)
    assert len(missed) == 1
    assert missed[0]["first_at"] == before["last_at"] + 2000
    assert missed[0]["count"] == (missed[0]["sent_at"] - missed[0]["first_at"]) / 2000 >= 2
    wait_until(lambda: schedule(bench, "slow")["overdue"] == 0, "it is in time again")
    ticks = schedule(bench, "slow")["ticks"]
    gone = range(int(missed[0]["first_at"]), int(missed[0]["sent_at"]))
    assert not [tick for tick in ticks if tick["at"] in gone]
