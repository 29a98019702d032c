"""Concurrency and rates: they count in all workers together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from integration.apps import Project, wait_until

from motia_celery.model.step import Rate
from motia_celery.settings import load_settings
from motia_celery.stores.limits import Limits
from motia_celery.stores.redis import connect


def intervals(project: Project, step: str, key: str = "token") -> list[tuple[float, float, Any]]:
    """When each run of the Step began and ended, and its key."""
    begun = {note["run"]: note for note in project.notes(step, "begun")}
    return sorted(
        (begun[note["run"]]["at"], note["at"], note["data"].get(key))
        for note in project.notes(step, "done")
    )


def most_at_once(spans: list[tuple[float, float, Any]]) -> int:
    return max(sum(a <= begin < b for a, b, _ in spans) for begin, _, _ in spans)


def test_concurrency_counts_in_all_workers(project: Project) -> None:
    project.step("limited", ["x"], infrastructure={"queue": {"concurrency": 2}})
    project.step("free", ["x"])
    first, second = project.worker(), project.worker()
    for _ in range(12):
        project.emit("x", {"sleep": 0.25})
    project.wait_for("limited", 12, seconds=60)
    project.wait_for("free", 12)
    assert most_at_once(intervals(project, "limited")) == 2
    assert most_at_once(intervals(project, "free")) > 2
    assert {note["pid"] for note in project.notes("limited")} == {first.pid, second.pid}


def test_each_key_has_a_concurrency_of_its_own(project: Project) -> None:
    """A run that waits long for its key makes room, and comes back as the same attempt."""
    limits = {"concurrency": 1, "concurrencyKey": "customer.id"}
    project.step("limited", ["x"], infrastructure={"queue": limits})
    worker = project.worker()
    for customer in ("a", "a", "b", "b"):
        project.emit("x", {"sleep": 3, "customer": {"id": customer}, "token": customer})
    project.wait_for("limited", 4, seconds=60)
    spans = intervals(project, "limited")
    for customer in ("a", "b"):
        assert most_at_once([span for span in spans if span[2] == customer]) == 1
    assert most_at_once(spans) == 2
    assert {note["attempt"] for note in project.notes("limited")} == {1}
    assert "run.failed" not in worker.output


def test_a_rate_counts_in_all_workers(project: Project) -> None:
    project.step("limited", ["x"], infrastructure={"queue": {"rateLimit": "4/s"}})
    project.worker()
    project.worker()
    for number in range(14):
        project.emit("x", {"token": number})
    project.wait_for("limited", 14, "begun", seconds=60)
    at = sorted(note["at"] for note in project.notes("limited", "begun"))
    assert at[-1] - at[0] > 2.9
    # Evenly spread: no second has more than its four, with room for a slow machine.
    assert all(later - earlier > 0.7 for earlier, later in zip(at, at[4:], strict=False))


def test_a_place_of_a_killed_worker_is_free_again(on_rabbitmq: Project) -> None:
    """Its lease runs out, and the event that it ran comes back."""
    project = on_rabbitmq
    project.step("limited", ["x"], infrastructure={"queue": {"concurrency": 1}})
    doomed = project.worker()
    project.emit("x", {"sleep": 5, "token": "first"})
    project.wait_for("limited", 1, "begun")
    doomed.kill()
    project.worker()
    project.emit("x", {"token": "second"})
    project.wait_for("limited", 1, "done", "second", seconds=60)
    project.wait_for("limited", 1, "done", "first", seconds=60)
    wait_until(lambda: project.depth(project.queue("limited")) == 0, "all acknowledged")


@pytest.fixture
async def limits(redis_url: str, name_prefix: str) -> AsyncIterator[Limits]:
    client = connect(load_settings(environ={"REDIS_URL": redis_url}))
    yield Limits(client, name_prefix)
    await client.aclose()


async def test_places_are_taken_kept_renewed_and_given_back(limits: Limits) -> None:
    assert await limits.take("step", 2, "a", 60)
    assert await limits.take("step", 2, "b", 60)
    assert not await limits.take("step", 2, "c", 60)
    assert await limits.take("step", 2, "a", 60)  # a holder has its own
    assert await limits.take("other", 1, "c", 60)
    await limits.release("step", "b")
    assert await limits.take("step", 2, "c", 60)


async def test_a_lease_that_runs_out_frees_its_place(limits: Limits) -> None:
    assert await limits.take("step", 1, "dead", 0.2)
    await limits.renew("step", ["dead", "stranger"], 0.3)
    assert not await limits.take("step", 1, "next", 60)

    async def taken() -> bool:
        return await limits.take("step", 1, "next", 60)

    async with asyncio.timeout(60):
        while not await taken():
            await asyncio.sleep(0.02)
    assert not await limits.take("step", 1, "stranger", 60)


async def test_a_rate_books_turns_evenly_and_none_that_is_too_far(limits: Limits) -> None:
    rate = Rate(count=6, seconds=60)
    waits = [await limits.book("step", rate, 25) for _ in range(4)]
    assert waits[0] == 0
    assert 9 < waits[1] <= 10
    assert 19 < waits[2] <= 20
    assert -30 <= waits[3] < -29
    assert await limits.book("step", rate, 60) == pytest.approx(-waits[3], abs=1)
