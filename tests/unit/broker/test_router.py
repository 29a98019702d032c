"""The router: what it passes on, in which order, and what it waits for."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from kombu.asynchronous import Hub, set_event_loop

from motia_celery.broker.queue import StepQueue, step_queue
from motia_celery.broker.router import Router
from motia_celery.broker.wire import REDELIVERED, TOPIC, Message
from motia_celery.plan.topology import Names, QueuePlan, partition_name, partition_of

QUEUE = "app.q.pay"


class Broker:
    """A channel, its connection, and a publisher whose confirms the test gives."""

    connection_errors = channel_errors = ()

    def __init__(self) -> None:
        self.sent: list[tuple[Message, Future[None]]] = []
        self.acknowledged: list[int] = []
        self.received: Any = None
        self.auto_decode = True

    def channel(self) -> Broker:
        return self

    def basic_qos(self, *_: Any) -> None:
        pass

    def basic_consume(self, _queue: str, callback: Any) -> None:
        self.received = callback

    def basic_ack(self, tag: int) -> None:
        self.acknowledged.append(tag)

    def close(self) -> None:
        pass

    def publish(self, message: Message) -> Future[None]:
        done: Future[None] = Future()
        self.sent.append((message, done))
        return done

    @property
    def bodies(self) -> list[bytes]:
        return [message.body for message, _ in self.sent]


@pytest.fixture
def hub() -> Any:
    hub = Hub()
    set_event_loop(hub)
    yield hub
    set_event_loop(None)
    hub.close()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def router(broker: Broker, hub: Hub) -> Router:
    router = Router(queue(), broker, broker.publish, 4)
    router.open()
    return router


def queue() -> StepQueue:
    plan = QueuePlan(name=QUEUE, step="pay", topics=("paid",), partitions=4)
    return step_queue(plan, Names("app"), amqp=True, prefetch=1, limit_bytes=1000)


def deliver(broker: Broker, hub: Hub, tag: int, body: bytes, **headers: Any) -> None:
    info = {"exchange": "app.events", "routing_key": "paid"}
    if headers.pop("redelivered", False):
        info["redelivered"] = True  # type: ignore[assignment]
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    broker.received(
        SimpleNamespace(
            body=body,
            headers=given,
            properties={"message_id": f"m{tag}"},
            delivery_info=info,
            delivery_tag=tag,
        )
    )
    turn(hub)


def turn(hub: Hub) -> None:
    """What was asked to be done soon, until nothing is."""
    while ready := hub._pop_ready():
        for item in ready:
            item()


def test_a_group_has_one_message_on_the_way(router: Router, broker: Broker, hub: Hub) -> None:
    """The next one is published when the first is confirmed; other groups do not wait."""
    for tag, group in enumerate(("a", "a", "b"), start=1):
        deliver(broker, hub, tag, b"%d" % tag, motia_group=group)
    assert broker.bodies == [b"1", b"3"]
    broker.sent[0][1].set_result(None)
    turn(hub)
    assert broker.acknowledged == [1]
    assert broker.bodies == [b"1", b"3", b"2"]


def test_a_refused_message_is_not_overtaken(router: Router, broker: Broker, hub: Hub) -> None:
    """It is published again after a while, and not acknowledged; its group waits."""
    deliver(broker, hub, 1, b"1", motia_group="a")
    deliver(broker, hub, 2, b"2", motia_group="a")
    broker.sent[0][1].set_exception(RuntimeError("full"))
    turn(hub)
    assert (broker.bodies, broker.acknowledged) == ([b"1"], [])
    hub.timer.queue[0].entry()
    assert broker.bodies == [b"1", b"1"]
    broker.sent[1][1].set_result(None)
    turn(hub)
    assert (broker.bodies, broker.acknowledged) == ([b"1", b"1", b"2"], [1])


def test_a_closed_router_settles_nothing(router: Router, broker: Broker, hub: Hub) -> None:
    """Whoever routes next is given what was not acknowledged."""
    deliver(broker, hub, 1, b"1", motia_group="a")
    deliver(broker, hub, 2, b"2", motia_group="a")
    router.close()
    broker.sent[0][1].set_result(None)
    turn(hub)
    assert (broker.bodies, broker.acknowledged) == ([b"1"], [])


def test_a_message_stays_what_it_is(router: Router, broker: Broker, hub: Hub) -> None:
    """A foreign one gets its routing key as topic; a redelivered one is marked; others are not."""
    deliver(broker, hub, 1, b"{}", motia_group=7, x_death=[], odd={"a": 1}, mine="x")
    deliver(broker, hub, 2, b"{}", motia_group="b", motia_topic="t", redelivered=True)
    first, second = (message for message, _ in broker.sent)
    assert first.headers == {"motia-group": 7, "mine": "x", TOPIC: "paid"}
    assert first.routing_key == partition_name(QUEUE, partition_of("7", 4))
    assert (first.properties["message_id"], first.content_type) == ("m1", None)
    assert second.headers == {"motia-group": "b", TOPIC: "t", REDELIVERED: True}


def test_messages_without_a_group_do_not_wait_for_each_other(
    router: Router, broker: Broker, hub: Hub
) -> None:
    for tag in range(1, 9):
        deliver(broker, hub, tag, b"{}")
    assert len(broker.sent) == 8
    assert len({message.routing_key for message, _ in broker.sent}) > 1
