"""Slots: how many at once, and who is next."""

from __future__ import annotations

import asyncio

from motia_celery.broker.slots import Slots


async def queued(slots, urgency, name, order):
    async with slots.taken(urgency):
        order.append(name)
        await asyncio.sleep(0)


async def start(*coroutines):
    """Tasks that have begun in this order."""
    tasks = []
    for coroutine in coroutines:
        tasks.append(asyncio.create_task(coroutine))
        await asyncio.sleep(0)
    return tasks


async def test_the_most_urgent_is_next_and_equals_in_their_order():
    slots, order = Slots(1), []
    async with slots.taken():
        given = [((4, 4), "a"), ((9, 4), "b"), ((4, 4), "c"), ((0, 9), "d"), ((4, 8), "e")]
        tasks = await start(*(queued(slots, urgency, name, order) for urgency, name in given))
        assert order == []
    await asyncio.gather(*tasks)
    assert order == ["b", "e", "a", "c", "d"]


async def test_as_many_at_once_as_there_are_slots():
    slots, inside, most = Slots(3), 0, 0

    async def one():
        nonlocal inside, most
        async with slots.taken():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one() for _ in range(20)))
    assert most == 3


async def test_one_that_is_cancelled_while_it_waits_keeps_no_slot():
    slots, order = Slots(1), []
    async with slots.taken():
        first, second = await start(queued(slots, (9,), "x", order), queued(slots, (), "y", order))
        first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert order == ["y"]


async def test_one_that_is_cancelled_as_its_turn_comes_passes_it_on():
    slots, order = Slots(1), []
    async with slots.taken():
        first, second = await start(queued(slots, (9,), "x", order), queued(slots, (), "y", order))
    first.cancel()  # it has the slot, and has not run since
    await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), 60)
    assert order == ["y"]


async def test_a_slot_that_is_added_is_taken():
    slots, order = Slots(0), []
    (task,) = await start(queued(slots, (), "x", order))
    slots.release()
    await asyncio.wait_for(task, 60)
    assert order == ["x"]
