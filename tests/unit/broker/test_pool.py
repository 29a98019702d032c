"""The async pool: slots, limits, and what becomes of a task that is cut short."""

import asyncio
import threading
import time

import pytest
from billiard.exceptions import SoftTimeLimitExceeded, Terminated, TimeLimitExceeded

from motia_celery.broker.loop import wait_for
from motia_celery.broker.pool import TaskPool


@pytest.fixture
def pool():
    started = TaskPool(limit=3)
    started.start()
    yield started
    started.stop()


class Calls:
    """Submits task bodies, and notes what the pool calls back with."""

    def __init__(self, pool):
        self.pool, self.values, self.errors, self.over = pool, [], [], threading.Semaphore(0)

    def apply(self, body, **options):
        return self.pool.on_apply(
            lambda: body(), (), {}, self.on_value, lambda *_: None, self.on_error, **options
        )

    def on_value(self, value):
        self.values.append(value)
        self.over.release()

    def on_error(self, info):
        self.errors.append(getattr(info.exception, "exc", info.exception))  # as Celery reads it
        self.over.release()

    def wait(self, count=1):
        for _ in range(count):
            assert self.over.acquire(timeout=60), "a task did not end"


@pytest.fixture
def calls(pool):
    return Calls(pool)


async def value_after(seconds, value=None):
    await asyncio.sleep(seconds)
    return value


def test_a_body_gets_the_values_that_it_waits_for(calls):
    calls.apply(lambda: [wait_for(value_after(0, n)) for n in range(3)])
    calls.wait()
    assert calls.values == [[0, 1, 2]]


def test_as_many_run_at_once_as_there_are_slots(calls):
    running, most = 0, 0

    async def count():
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1

    for _ in range(10):
        calls.apply(lambda: wait_for(count()))
    calls.wait(10)
    assert most == 3


def test_slots_can_be_added(pool, calls):
    pool.grow(5)
    running = 0

    async def wait_for_the_others():
        nonlocal running
        running += 1
        while running < 8:
            await asyncio.sleep(0.01)

    for _ in range(8):
        calls.apply(lambda: wait_for(wait_for_the_others()))
    calls.wait(8)


def test_what_a_body_raises_is_reported_as_it_is(calls):
    """It is Celery's rule that the pool answers for what escapes the tracer."""

    def fails():
        wait_for(value_after(0))
        raise KeyError("lost")

    calls.apply(fails)
    calls.wait()
    (error,) = calls.errors
    assert isinstance(error, KeyError)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"soft_timeout": 0.05}, SoftTimeLimitExceeded), ({"timeout": 0.05}, TimeLimitExceeded)],
)
def test_a_body_past_its_limit_sees_the_limits_exception(calls, options, expected):
    seen = []

    def body():
        try:
            wait_for(value_after(5))
        except Exception as error:
            seen.append(error)
            raise

    calls.apply(body, **options)
    calls.wait()
    assert [type(error) for error in seen] == [expected]
    assert [type(error) for error in calls.errors] == [expected]


def test_a_body_may_clean_up_after_its_soft_limit(calls):
    def body():
        try:
            wait_for(value_after(5))
        except SoftTimeLimitExceeded:
            return wait_for(value_after(0.01, "cleaned up"))

    calls.apply(body, soft_timeout=0.05)
    calls.wait()
    assert calls.values == ["cleaned up"]


def test_a_hard_limit_follows_a_soft_one(calls):
    def body():
        try:
            wait_for(value_after(5))
        except SoftTimeLimitExceeded:
            return wait_for(value_after(5))

    calls.apply(body, soft_timeout=0.05, timeout=0.15)
    calls.wait()
    assert [type(error) for error in calls.errors] == [TimeLimitExceeded]


def test_a_soft_limit_is_announced(calls):
    told = []
    calls.apply(
        lambda: wait_for(value_after(5)),
        soft_timeout=0.05,
        timeout_callback=lambda soft, timeout: told.append((soft, timeout)),
    )
    calls.wait()
    assert told == [(True, 0.05)]


def test_limits_end_with_the_task(calls):
    calls.apply(lambda: wait_for(value_after(0)), soft_timeout=0.05, timeout=0.06)
    calls.wait()
    time.sleep(0.1)
    assert calls.errors == []


def test_a_terminated_job_ends_at_once(calls):
    job = calls.apply(lambda: wait_for(value_after(5)))
    time.sleep(0.05)
    job.terminate()
    calls.wait()
    assert [type(error) for error in calls.errors] == [Terminated]


def test_a_job_is_terminated_while_it_waits_for_a_slot(calls):
    jobs = [calls.apply(lambda: wait_for(value_after(0.2))) for _ in range(4)]
    time.sleep(0.05)
    jobs[-1].terminate()
    calls.wait(4)
    assert [type(error) for error in calls.errors] == [Terminated]
    assert len(calls.values) == 3


def test_stop_waits_for_what_runs():
    pool = TaskPool(limit=2)
    pool.start()
    calls = Calls(pool)
    calls.apply(lambda: wait_for(value_after(0.2, "done")))
    pool.stop()
    assert calls.values == ["done"]


def test_bodies_wait_in_a_plain_thread_too():
    """The threads and prefork pools run bodies outside the loop."""
    assert wait_for(value_after(0, "value")) == "value"


def test_a_pool_that_is_told_to_stop_while_it_starts_does_so():
    """As by Ctrl-C in the moment in which the worker imports what the loop needs."""
    TaskPool(limit=3).stop()
