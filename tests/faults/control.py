"""Two faults, each twice: with the safe settings, and with them off.

The second form must lose, or the count is blind: one acknowledges before it runs, the other takes
an event for sent once the socket has it.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterable
from typing import Any

from faults.scenario import scenario
from faults.stage import Stage
from faults.tally import Tally, count


@scenario("acks-late")
def late_acks(stage: Stage) -> Tally:
    """The only worker is killed with -9 in the middle of its runs."""
    return _worker_dies(stage, acks_late=True)


@scenario("control-acks-early", loses=True)
def early_acks(stage: Stage) -> Tally:
    """The same with a worker that acknowledges before it runs."""
    return _worker_dies(stage, acks_late=False)


def _worker_dies(stage: Stage, *, acks_late: bool) -> Tally:
    app = stage.open()
    worker = app.changed_worker(acks_late=acks_late)
    with stage.load(rate=60, work=0.5) as load:
        app.wait_for(20)
        worker.kill()
    app.worker()
    return stage.tally(load)


@scenario("confirms")
def confirms(stage: Stage) -> Tally:
    """The broker hangs while events are sent, and then dies."""
    app = stage.open()
    app.worker()
    load = stage.load(rate=50)
    load.burst(1)  # the connection is there before the broker hangs
    stage.signal_broker(signal.SIGSTOP)
    with load:
        time.sleep(3)
        _restart(stage)
    return stage.tally(load)


@scenario("control-no-confirms", loses=True)
def no_confirms(stage: Stage) -> Tally:
    """The same with a sender that waits for no confirm."""
    app = stage.open()
    app.worker()
    tokens = [f"u{number}" for number in range(100)]
    connection = app.connection()
    channel = connection.default_channel
    stage.signal_broker(signal.SIGSTOP)
    try:
        _publish(channel, app.names.events, tokens)
    finally:
        _restart(stage)
        connection.collect()  # a polite end would wait for an answer
    stage.rest({*tokens})
    return count({*tokens}, app.lines(), stage.dead_letters())


def _publish(channel: Any, exchange: str, tokens: Iterable[str]) -> None:
    for token in tokens:
        data = {"token": token, "work": 0.05, "fails": False, "slow": 0}
        message = channel.prepare_message(
            json.dumps(data).encode(),
            content_type="application/json",
            content_encoding="utf-8",
            properties={"delivery_mode": 2},
        )
        channel.basic_publish(message, exchange=exchange, routing_key="sent")


def _restart(stage: Stage) -> None:
    stage.kill_broker()
    stage.start_broker()
