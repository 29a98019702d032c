"""The publisher: an awaited emit is with the broker, whatever happens to the broker meanwhile."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from integration.apps import Project
from servers import RabbitNode

from motia_celery.broker.publisher import Publisher
from motia_celery.errors import EmitError
from motia_celery.model.event import Event
from motia_celery.plan.topology import Names, QueuePlan, Topology
from motia_celery.settings import Settings


@pytest.fixture
def topology(name_prefix: str) -> Topology:
    names = Names(name_prefix)
    return Topology(
        names,
        tuple(
            QueuePlan(name=names.queue(step), step=step, topics=(step, "all"))
            for step in ("one", "two")
        ),
    )


@pytest.fixture
def open_publisher(
    topology: Topology, name_prefix: str, redis_url: str
) -> Iterator[Callable[..., Publisher]]:
    """Makes publishers, which are closed in the end."""
    made: list[Publisher] = []

    def make(url: str, known: Topology = topology, **settings: Any) -> Publisher:
        given = Settings(broker_url=url, redis_url=redis_url, prefix=name_prefix, **settings)
        made.append(Publisher(given, known))
        return made[-1]

    yield make
    for publisher in made:
        publisher.close()


@pytest.fixture
def look(make_project: Callable[..., Project], broker_url: str, topology: Topology) -> Any:
    """A project without Steps, to read queues with."""
    return make_project(broker_url)


@pytest.fixture(autouse=True)
def forget(
    request: pytest.FixtureRequest, topology: Topology, forget_queue: Callable[[str], None]
) -> None:
    for plan in topology.queues:
        forget_queue(plan.name)


async def test_an_awaited_emit_is_in_the_queue(
    open_publisher: Callable[..., Publisher], broker_url: str, look: Project
) -> None:
    """Right after the await, in both queues."""
    publisher = open_publisher(broker_url)
    await publisher.emit(Event(topic="all", data={"n": 1}))
    assert [look.depth(look.queue(step)) for step in ("one", "two")] == [1, 1]


async def test_a_message_carries_the_event_in_the_standard_places(
    open_publisher: Callable[..., Publisher], broker_url: str, look: Project
) -> None:
    """Any AMQP client can read it: a JSON body and AMQP's own properties."""
    event = Event(topic="one", data={"n": 1}, root_id="root", parent_id="parent", group="g")
    await open_publisher(broker_url).emit(event)
    (letter,) = look.take(look.queue("one"))
    assert letter.body == b'{"n":1}'
    assert letter.properties["message_id"] == event.id
    assert letter.properties["correlation_id"] == "root"
    assert letter.properties["delivery_mode"] == 2
    assert letter.properties["app_id"] == "motia-celery"
    letter.headers.pop("x-delivery-count", None)  # the broker's own
    assert abs(letter.headers.pop("motia-queued-at") / 1000 - time.time()) < 60
    assert letter.headers == {
        "traceparent": event.trace.header,
        "motia-topic": "one",
        "motia-root-id": "root",
        "motia-parent-id": "parent",
        "motia-group": "g",
    }


async def test_an_event_that_nobody_hears_is_accepted(
    open_publisher: Callable[..., Publisher], broker_url: str
) -> None:
    await open_publisher(broker_url).emit(Event(topic="nobody", data=None))


async def test_a_thousand_emits_at_once_all_arrive(
    open_publisher: Callable[..., Publisher], broker_url: str, look: Project
) -> None:
    publisher = open_publisher(broker_url)
    await asyncio.gather(*(publisher.emit(Event(topic="one", data=n)) for n in range(1000)))
    found = look.take(look.queue("one"))
    assert sorted(letter.data for letter in found) == list(range(1000))


async def test_the_event_loop_goes_on_while_an_emit_waits(
    open_publisher: Callable[..., Publisher],
) -> None:
    with unanswering() as url:
        publisher = open_publisher(url, emit_timeout_seconds=1)
        waiting = asyncio.create_task(publisher.emit(Event(topic="one", data=1)))
        gaps, last = [], time.monotonic()
        while not waiting.done():
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
    assert max(gaps) < 0.5
    assert isinstance(waiting.exception(), EmitError)


async def test_a_cancelled_caller_does_not_break_the_publisher(
    open_publisher: Callable[..., Publisher], broker_url: str, look: Project
) -> None:
    publisher = open_publisher(broker_url)
    for n in range(20):
        task = asyncio.create_task(publisher.emit(Event(topic="one", data=n)))
        await asyncio.sleep(0)
        task.cancel()
    await publisher.emit(Event(topic="one", data="last"))
    assert look.take(look.queue("one"))[-1].data == "last"


async def test_a_direct_send_to_no_queue_is_refused(
    open_publisher: Callable[..., Publisher], broker_url: str
) -> None:
    publisher = open_publisher(broker_url)
    gone = QueuePlan(name="gone", step="gone")
    with pytest.raises(EmitError, match="no queue took the message"):
        await publisher.send(Event(topic="one", data=1), gone)
    await publisher.emit(Event(topic="one", data=1))


async def test_one_refused_message_does_not_fail_the_others(
    open_publisher: Callable[..., Publisher], broker_url: str, topology: Topology, look: Project
) -> None:
    """Among many under way, each gets its own answer."""
    publisher = open_publisher(broker_url)
    gone = QueuePlan(name="gone", step="gone")
    sends = [
        publisher.send(Event(topic="t", data=n), gone if n % 3 == 0 else topology.queues[0])
        for n in range(30)
    ]
    answers = await asyncio.gather(*sends, return_exceptions=True)
    assert [isinstance(answer, EmitError) for answer in answers] == [n % 3 == 0 for n in range(30)]
    assert look.depth(look.queue("one")) == 20


async def test_a_message_that_can_not_be_encoded_fails_alone(
    open_publisher: Callable[..., Publisher], broker_url: str
) -> None:
    """And the confirms of those after it are still matched to the right ones."""
    publisher = open_publisher(broker_url)
    bad = Event(topic="one", data=1, root_id="x" * 300)
    answers = await asyncio.gather(
        publisher.emit(Event(topic="one", data=1)),
        publisher.emit(bad),
        publisher.emit(Event(topic="one", data=2)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [type(None), EmitError, type(None)]
    await publisher.emit(Event(topic="one", data=3), timeout_seconds=3)


async def test_data_that_is_no_json_is_refused_by_name(
    open_publisher: Callable[..., Publisher], broker_url: str
) -> None:
    with pytest.raises(EmitError, match=r"emit 'one'.*JSON"):
        await open_publisher(broker_url).emit(Event(topic="one", data={"a": object()}))


async def test_data_that_is_too_large_is_refused_by_name(
    open_publisher: Callable[..., Publisher], broker_url: str
) -> None:
    publisher = open_publisher(broker_url, event_limit_bytes=2000)
    with pytest.raises(EmitError, match=r"emit 'one'.*2000"):
        await publisher.emit(Event(topic="one", data="x" * 3000))


async def test_a_full_queue_refuses_the_emit(
    open_publisher: Callable[..., Publisher], broker_url: str, rabbitmq: RabbitNode, look: Project
) -> None:
    """``reject-publish`` answers with a nack, which is an error and not a lost event."""
    vhost = unquote(urlsplit(broker_url).path[1:])
    policy = {
        "pattern": f"^{look.queue('one')}$",
        "definition": {"max-length": 3},
        "apply-to": "queues",
    }
    rabbitmq.api("PUT", f"/policies/{vhost}/full", policy)
    publisher = open_publisher(broker_url)
    with pytest.raises(EmitError, match="full"):
        for n in range(50):
            await publisher.emit(Event(topic="one", data=n))
    await publisher.emit(Event(topic="two", data="goes on"))


async def test_an_emit_that_is_late_names_its_topic(
    open_publisher: Callable[..., Publisher],
) -> None:
    with unanswering() as url:
        publisher = open_publisher(url, emit_timeout_seconds=0.5)
        began = time.monotonic()
        with pytest.raises(EmitError, match=r"'order\.paid'"):
            await publisher.emit(Event(topic="order.paid", data=1))
        assert time.monotonic() - began < 9


async def test_nothing_is_lost_over_a_restart_of_the_broker(
    private_rabbitmq: RabbitNode,
    open_publisher: Callable[..., Publisher],
    make_project: Callable[..., Project],
) -> None:
    """An emit that is under way while the broker is down waits for it, and arrives."""
    publisher = open_publisher(private_rabbitmq.url, emit_timeout_seconds=60)
    await publisher.emit(Event(topic="one", data="before"))
    await asyncio.to_thread(private_rabbitmq.stop)
    waiting = asyncio.gather(*(publisher.emit(Event(topic="one", data=n)) for n in range(20)))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    await asyncio.to_thread(private_rabbitmq.start)
    await asyncio.wait_for(waiting, 60)
    await asyncio.to_thread(private_rabbitmq.kill)
    during = asyncio.gather(*(publisher.emit(Event(topic="one", data=n)) for n in range(20, 40)))
    await asyncio.to_thread(private_rabbitmq.start)
    await asyncio.wait_for(during, 60)
    look = make_project(private_rabbitmq.url)
    found = {letter.data for letter in look.take(look.queue("one"))}
    assert found == {"before", *range(40)}


async def test_an_alarm_ends_in_an_error_and_not_in_silence(
    private_rabbitmq: RabbitNode, open_publisher: Callable[..., Publisher]
) -> None:
    """Under a memory alarm the broker neither confirms nor refuses."""
    publisher = open_publisher(private_rabbitmq.url, emit_timeout_seconds=2)
    await publisher.emit(Event(topic="one", data=0))
    await asyncio.to_thread(private_rabbitmq.ctl, "set_vm_memory_high_watermark", "0.000001")
    with pytest.raises(EmitError, match="'one'"):
        await publisher.emit(Event(topic="one", data=1))
    await asyncio.to_thread(private_rabbitmq.ctl, "set_vm_memory_high_watermark", "0.8")
    await publisher.emit(Event(topic="one", data=2), timeout_seconds=20)


def test_a_forked_process_has_a_publisher_of_its_own(
    on_rabbitmq: Project, forget_queue: Callable[[str], None]
) -> None:
    """Parent and child both emit after a fork; neither uses the other's connection."""
    project = on_rabbitmq
    project.step("one", ["one"])
    script = """
import asyncio, os, sys
from motia_celery.run.app import App
from motia_celery.run.environment import read_environment

app = App(read_environment())
asyncio.run(app.emit("one", "parent before"))
child = os.fork()
if child == 0:
    asyncio.run(app.emit("one", "child"))
    os._exit(0)
_, status = os.waitpid(child, 0)
asyncio.run(app.emit("one", "parent after"))
app.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""
    assert project.start("-W", "ignore", "-c", script).wait(60) == 0
    found = sorted(letter.data for letter in project.take(project.queue("one")))
    assert found == ["child", "parent after", "parent before"]


async def test_close_sends_what_waits(
    open_publisher: Callable[..., Publisher], broker_url: str, look: Project
) -> None:
    publisher = open_publisher(broker_url)
    emits = [asyncio.create_task(publisher.emit(Event(topic="one", data=n))) for n in range(50)]
    await asyncio.sleep(0)
    await asyncio.to_thread(publisher.close)
    await asyncio.wait_for(asyncio.gather(*emits), 60)
    assert look.depth(look.queue("one")) == 50


async def test_an_emit_after_close_is_sent_too(
    open_publisher: Callable[..., Publisher], broker_url: str, look: Project
) -> None:
    """It never waits for ever: a worker that stops may still have handlers that emit."""
    publisher = open_publisher(broker_url, emit_timeout_seconds=3)
    await publisher.emit(Event(topic="one", data=1))
    await asyncio.to_thread(publisher.close)
    await asyncio.wait_for(publisher.emit(Event(topic="one", data=2)), 60)
    assert look.depth(look.queue("one")) == 2


class unanswering:
    """A broker that takes connections and never says a word."""

    def __enter__(self) -> str:
        self._socket = socket.create_server(("127.0.0.1", 0))
        return f"amqp://guest:guest@127.0.0.1:{self._socket.getsockname()[1]}//"

    def __exit__(self, *_: object) -> None:
        self._socket.close()
