"""A link to Redis, without a server: what goes out, and who is told when it ends."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from motia_celery.stores.link import Link, LostError


class Transport:
    def __init__(self):
        self.written, self.closed, self.protocol = [], False, None

    def set_protocol(self, protocol):
        self.protocol = protocol

    def write(self, data):
        self.written.append(data)

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True

    abort = close


@pytest.fixture
def transport():
    return Transport()


@pytest.fixture
async def link(transport):
    return Link(SimpleNamespace(_writer=SimpleNamespace(transport=transport)))


async def test_the_commands_of_a_turn_go_out_in_one_write(link, transport):
    answers = []
    for number in range(3):
        link.call(("GET", number), answers.append)
    assert transport.written == []
    await asyncio.sleep(0)
    (data,) = transport.written
    assert data.count(b"GET") == 3
    link.data_received(b"$1\r\na\r\n$1\r\nb")
    assert answers == [b"a"]
    link.data_received(b"\r\n-ERR no\r\n")
    assert answers[1] == b"b"
    assert isinstance(answers[2], Exception)
    assert str(answers[2]) == "ERR no"


async def test_a_server_that_does_not_read_gets_no_more(link):
    loop = asyncio.get_running_loop()
    assert link.takes_calls_of(loop)
    assert not link.takes_calls_of(object())
    link.pause_writing()
    assert not link.takes_calls_of(loop)
    link.resume_writing()
    assert link.takes_calls_of(loop)


async def test_its_end_is_told_to_who_waits_once(link, transport):
    answers = []
    link.call(("GET", "k"), answers.append)
    link.close()
    link.connection_lost(None)
    await asyncio.sleep(0)
    assert [type(answer) for answer in answers] == [LostError]
    assert transport.written == []
    assert not link.takes_calls_of(asyncio.get_running_loop())
