"""Queues that are declared at once are as if they had been declared one by one."""

from __future__ import annotations

import pytest
from amqp.exceptions import PreconditionFailed
from kombu import Connection, Exchange, Queue

from motia_celery.broker import declaring
from motia_celery.broker.declaring import at_once


def _queue(prefix: str, number: int, **arguments: object) -> Queue:
    exchange = Exchange(f"{prefix}.all", type="topic", durable=True)
    name = f"{prefix}.{number}"
    return Queue(name, exchange, name, durable=True, queue_arguments=arguments)


def test_all_are_there_and_bound_when_it_ends(
    broker_url: str, name_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(declaring, "TOGETHER", 7)  # so that it waits in between as well
    with Connection(broker_url) as connection:
        with at_once(connection) as together:
            for number in range(20):
                _queue(name_prefix, number).declare(channel=together)
        with connection.channel() as channel:
            for number in range(20):
                channel.basic_publish_confirm(
                    channel.prepare_message(b"{}"), f"{name_prefix}.all", f"{name_prefix}.{number}"
                )
                assert channel.queue_declare(f"{name_prefix}.{number}", passive=True).message_count


def test_one_that_is_refused_is_told_at_the_end(broker_url: str, name_prefix: str) -> None:
    with Connection(broker_url) as connection:
        _queue(name_prefix, 1)(connection.channel()).declare()
        with (
            pytest.raises(PreconditionFailed, match=f"{name_prefix}.1"),
            at_once(connection) as all_,
        ):
            for number in (1, 2):
                _queue(name_prefix, number, **{"x-max-length": 9}).declare(channel=all_)
