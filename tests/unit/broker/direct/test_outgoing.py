"""Publishing from the loop while there is no broker."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from motia_celery.broker.direct import outgoing as outgoing_module
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


class Link:
    """A link that notes what goes out by it."""

    def __init__(self, *_):
        self.sent = []

    def start(self):
        pass

    def close(self):
        pass

    def publish(self, frames, settle):
        self.sent.append(frames)
        settle(True)


async def test_a_cancelled_message_is_never_sent(monkeypatch):
    """A request that timed out must not have its event sent later."""
    monkeypatch.setattr(outgoing_module, "PublisherLink", Link)
    may_connect = threading.Event()
    outgoing = Outgoing(lambda: may_connect.wait(30), lambda *_: None)
    cancelled = outgoing.publish(MESSAGE, 30)
    kept = outgoing.publish(replace(MESSAGE, body=b"kept"), 30)
    cancelled.cancel()
    may_connect.set()
    assert await kept
    assert [b"kept" in frames for frames in outgoing._link.sent] == [True]
    assert not outgoing._parcels
    outgoing.close()


async def test_who_waits_as_the_process_ends_is_told():
    outgoing = Outgoing(away, lambda *_: None)
    emit = outgoing.publish(MESSAGE, 30)
    await asyncio.sleep(0)
    outgoing.close()
    with pytest.raises(LateError, match="stops"):
        await emit
