"""Publishing from the loop while there is no broker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from motia_celery.broker.direct.outgoing import LateError, Outgoing
from motia_celery.broker.wire import Message

MESSAGE = Message(exchange="events", routing_key="a", body=b"1", headers={}, properties={})


def away() -> Any:
    raise OSError("nobody is there")


async def test_what_could_not_be_sent_is_told_in_its_time():
    told: list[object] = []
    outgoing = Outgoing(away, lambda cause, failures: told.append(cause))
    with pytest.raises(LateError, match="nobody is there") as late:
        await outgoing.publish(MESSAGE, 0.3)
    assert not late.value.was_sent
    assert told
    outgoing.close()


async def test_a_cancelled_message_is_never_sent():
    """A request that timed out must not have its event sent later."""
    outgoing = Outgoing(away, lambda *_: None)
    emit = asyncio.create_task(outgoing.publish(MESSAGE, 30))
    await asyncio.sleep(0)
    assert outgoing._parcels
    emit.cancel()
    with pytest.raises(asyncio.CancelledError):
        await emit
    assert not outgoing._parcels
    outgoing.close()


async def test_who_waits_as_the_process_ends_is_told():
    outgoing = Outgoing(away, lambda *_: None)
    emit = asyncio.create_task(outgoing.publish(MESSAGE, 30))
    await asyncio.sleep(0)
    outgoing.close()
    with pytest.raises(LateError, match="stops"):
        await emit
