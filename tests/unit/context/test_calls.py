"""Calls on the context: awaited or not, from async and from sync code."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from motia_celery.context.calls import Calls


@pytest.fixture
async def calls():
    return Calls(asyncio.get_running_loop())


async def soon(value):
    await asyncio.sleep(0.01)
    if isinstance(value, Exception):
        raise value
    return value


async def never():
    await asyncio.sleep(60)


async def test_a_call_can_be_awaited_more_than_once(calls):
    call = calls.start(soon(7))
    assert (await call, await call) == (7, 7)


async def test_a_call_is_whatever_asyncio_takes(calls):
    start = calls.start
    assert await asyncio.gather(start(soon(1)), start(soon(2))) == [1, 2]
    assert await asyncio.create_task(start(soon(3))) == 3
    assert await asyncio.wait_for(start(soon(4)), 1) == 4
    assert await asyncio.shield(start(soon(5))) == 5
    async with asyncio.TaskGroup() as group:
        task = group.create_task(start(soon(6)))
    assert task.result() == 6
    await calls.finish()


async def test_calls_run_at_the_same_time(calls):
    loop = asyncio.get_running_loop()
    started = loop.time()
    await asyncio.gather(*(calls.start(soon(n)) for n in range(100)))
    assert loop.time() - started < 0.5


async def test_an_awaited_error_is_raised_where_it_is_awaited_and_only_there(calls):
    with pytest.raises(ValueError):
        await calls.start(soon(ValueError()))
    await calls.finish()


async def test_an_error_that_nobody_awaited_is_raised_at_the_end(calls):
    calls.start(soon(1))
    calls.start(soon(ValueError("lost")))
    with pytest.raises(ValueError, match="lost"):
        await calls.finish()


async def test_a_call_given_up_by_wait_for_is_no_error(calls):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(calls.start(never()), 0.01)
    await calls.finish()


async def test_calls_that_begin_while_others_are_waited_for_are_waited_for_too(calls):
    done = []
    begun = asyncio.Event()

    async def background():
        calls.start(soon(2)).task.add_done_callback(done.append)
        begun.set()

    calls.start(begun.wait())
    task = asyncio.create_task(background())
    await calls.finish()
    assert len(done) == 1
    await task


async def test_no_error_is_reported_as_lost_by_asyncio(calls, caplog):
    for _ in range(3):
        calls.start(soon(ValueError()))
    with pytest.raises(ValueError):
        await calls.finish()
    del calls
    gc.collect()
    assert caplog.records == []


async def test_settling_waits_and_raises_nothing(calls):
    call = calls.start(soon(ValueError()))
    await calls.settle()
    assert call.task.done()


async def test_who_waits_for_calls_and_is_cancelled_stops_them(calls):
    call = calls.start(never())
    waiting = asyncio.create_task(calls.finish())
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)
    assert call.task.cancelled()


async def test_in_a_thread_a_call_gives_its_value(calls):
    assert await asyncio.to_thread(lambda: calls.start(soon(7))) == 7
    with pytest.raises(ValueError):
        await asyncio.to_thread(lambda: calls.start(soon(ValueError())))


async def test_a_loop_in_a_thread_may_await_a_call(calls):
    """A `def` handler that uses asyncio.run."""

    async def inside():
        assert threading.current_thread() is not threading.main_thread()
        return await calls.start(soon(7))

    assert await asyncio.to_thread(lambda: asyncio.run(inside())) == 7
