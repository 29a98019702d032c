"""Forwarding a delivery: acknowledged once its copy is confirmed, and kept until then."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from motia_celery.broker import forward as forward_module
from motia_celery.broker.forward import Forwarder
from motia_celery.broker.wire import Message
from motia_celery.errors import EmitError

MESSAGE = Message(exchange="", routing_key="q", body=b"1", headers={}, properties={})


class Loop:
    """The consumer's loop, turned by hand."""

    def __init__(self):
        self.soon, self.later = [], []

    def call_soon(self, callback):
        self.soon.append(callback)

    def call_later(self, seconds, callback, *arguments):
        self.later.append((seconds, lambda: callback(*arguments)))

    def turn(self):
        calls, self.soon = self.soon, []
        for call in calls:
            call()


class Channel:
    is_open = True

    def __init__(self):
        self.acknowledged = []

    def basic_ack(self, tag):
        if not self.is_open:
            raise ConnectionError("gone")
        self.acknowledged.append(tag)


class Publisher:
    def __init__(self):
        self.sent = []

    def publish_soon(self, message):
        self.sent.append(Future())
        return self.sent[-1]


@pytest.fixture
def loop(monkeypatch):
    loop = Loop()
    monkeypatch.setattr(forward_module, "get_event_loop", lambda: loop)
    return loop


@pytest.fixture
def publisher():
    return Publisher()


@pytest.fixture
def channel(publisher, loop):
    channel = Channel()
    Forwarder(lambda: publisher)(channel, 7, MESSAGE)
    return channel


def test_it_is_acknowledged_in_the_consumers_loop_after_the_confirm(channel, publisher, loop):
    """No other thread may use the consumer's channel."""
    loop.turn()
    assert channel.acknowledged == []
    publisher.sent[0].set_result(None)
    assert channel.acknowledged == []
    loop.turn()
    assert channel.acknowledged == [7]


def test_one_that_can_not_be_sent_is_kept_and_tried_again(channel, publisher, loop):
    publisher.sent[0].set_exception(EmitError("away."))
    loop.turn()
    ((seconds, again),) = loop.later
    assert (channel.acknowledged, seconds) == ([], 1)
    again()
    publisher.sent[1].set_result(None)
    loop.turn()
    assert channel.acknowledged == [7]


def test_one_whose_channel_is_gone_comes_again_by_itself(channel, publisher, loop):
    channel.is_open = False
    publisher.sent[0].set_exception(EmitError("away."))
    loop.turn()
    assert loop.later == []


def test_a_channel_that_goes_at_the_last_moment_harms_nobody(channel, publisher, loop):
    channel.is_open = False
    publisher.sent[0].set_result(None)
    loop.turn()
    assert channel.acknowledged == []
