"""What a link writes, and when."""

from __future__ import annotations

import asyncio
import socket
import struct
from types import SimpleNamespace
from typing import Any

import pytest

from motia_celery.broker.direct import frames
from motia_celery.broker.direct.link import PublisherLink


def _connection(sock: socket.socket) -> Any:
    """As kombu's, opened by py-amqp."""
    amqp = SimpleNamespace(transport=SimpleNamespace(sock=sock), heartbeat=0)
    channel = SimpleNamespace(channel_id=1)
    return SimpleNamespace(
        connection=amqp, default_channel=channel, collect=lambda socket_timeout: None
    )


def _ack(number: int) -> bytes:
    return frames.method(1, frames.ACK, struct.pack(">QB", number, 0))


async def test_a_message_goes_out_at_once_if_no_other_is_under_way() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        link = PublisherLink(_connection(ours), lambda reason: None)
        link.start()
        settled: list[bool] = []
        link.publish(b"first", settled.append)
        assert theirs.recv(100) == b"first"
        link.publish(b"second", settled.append)
        link.publish(b"third", settled.append)
        with pytest.raises(BlockingIOError):
            theirs.recv(100)
        await asyncio.sleep(0.01)
        assert theirs.recv(100) == b"secondthird"
        theirs.send(b"".join(map(_ack, (1, 2, 3))))
        while len(settled) < 3:
            await asyncio.sleep(0.01)
        link.publish(b"fourth", settled.append)
        assert theirs.recv(100) == b"fourth"
        link.close()


async def test_a_batch_goes_out_before_the_others_of_its_turn_are_made() -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        link = PublisherLink(_connection(ours), lambda reason: None)
        link.start()
        link.publish(b"0", lambda accepted: None)
        assert theirs.recv(100) == b"0"
        for _ in range(40):
            link.publish(b"x", lambda accepted: None)
        assert theirs.recv(100) == b"x" * 32
        await asyncio.sleep(0.01)
        assert theirs.recv(100) == b"x" * 8
        link.close()
