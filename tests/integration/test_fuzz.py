"""Random messages on a worker's queue: each is run or kept, and the worker goes on."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import redis
from integration.apps import Project, wait_until
from kombu import Exchange
from kombu.serialization import prepare_accept_content

from motia_celery.broker.celery_app import celery_settings
from motia_celery.plan import compile_plan

COUNT = 400
KEEPS = """
import os
from pathlib import Path

config = {config!r}


async def handler(data, context):
    with open(Path(__file__).parents[1] / "notes" / "runs", "a") as file:
        file.write(f"{os.getpid()}\\n")
"""
KNOWN = (
    *("task", "id", "retries", "timelimit", "compression", "group", "root_id", "parent_id"),
    *("lang", "origin", "shadow", "is_eager", "stamps", "stamped_headers", "redelivered"),
    *("traceparent", "tracestate", "baggage", "x-death", "x-delivery-count", "delivery_info"),
    *("motia-topic", "motia-root-id", "motia-parent-id", "motia-group", "motia-attempt"),
    *("motia-run-id", "motia-event-id", "motia-sent", "motia-booked", "motia-step", "motia-queue"),
    *("motia-previous", "motia-queued-at"),
)
TEXTS = ("", "a", "x" * 300, "\x00", "\u202e", "ünï", "step:keeps", "step:other", "-1", "{}")


class Fuzz:
    """Random values; the same ones in every run of the suite."""

    def __init__(self, amqp: bool) -> None:
        self._random = random.Random(20_260_101)
        self._amqp = amqp

    def value(self, depth: int = 0) -> Any:
        """A value of any type that a header can have."""
        pick = self._random
        kinds: list[Callable[[], Any]] = [
            lambda: None,
            lambda: pick.random() < 0.5,
            lambda: pick.choice([0, 1, -1, 2**31, 2**63 - 1, pick.randrange(10**6)]),
            lambda: pick.choice([0.5, -1e300, 1e-300]),
            lambda: pick.choice(TEXTS),
        ]
        if self._amqp:
            kinds += [
                lambda: pick.choice([b"", b"\x80\xff", b"bytes"]),
                lambda: datetime.fromtimestamp(pick.randrange(2**31), UTC),
                lambda: Decimal(pick.randrange(10**6)) / 100,
            ]
        if depth < 3:
            kinds += [lambda: self.table(depth + 1), lambda: self.list(depth + 1)]
        return pick.choice(kinds)()

    def list(self, depth: int) -> list[Any]:
        return [self.value(depth) for _ in range(self._random.randrange(4))]

    def table(self, depth: int = 0) -> dict[str, Any]:
        names = (*KNOWN, "x", "Ünï", "a.b", "n" * 100)
        count = self._random.randrange(6)
        return {self._random.choice(names): self.value(depth) for _ in range(count)}

    def headers(self) -> dict[str, Any]:
        found = self.table()
        if self._random.random() < 0.3:
            found |= {"task": "step:keeps"}
        if self._random.random() < 0.3:
            found |= {"id": self._random.choice(["i", "", 5]), "retries": 0}
        return found

    def body(self) -> bytes:
        pick = self._random
        choices: list[Callable[[], bytes]] = [
            lambda: pick.randbytes(pick.randrange(40)),
            lambda: json.dumps(pick.choice([None, 1, "a", [], {}, [[], {}, {}]])).encode(),
            lambda: b"[" * (depth := pick.choice([3, 300, 1000, 5000])) + b"]" * depth,
            lambda: b'{"n": ' + b"9" * pick.choice([5, 30, 5000]) + b"}",
            lambda: json.dumps([[{"a": 1}], {}, {"callbacks": None, "chord": None}]).encode(),
            lambda: json.dumps([[], {"k": "v"}, None]).encode(),
            lambda: b'{"__type__": "datetime", "__value__": "never"}',
            lambda: b'"' + b"x" * pick.choice([10, 5000]) + b'"',
        ]
        return pick.choice(choices)()

    def properties(self) -> dict[str, Any]:
        pick, properties = self._random, {}
        for name in ("message_id", "correlation_id", "app_id", "type", "reply_to"):
            if pick.random() < 0.3:
                properties[name] = pick.choice([text for text in TEXTS if len(text) < 256])
        if self._amqp and pick.random() < 0.3:
            properties["timestamp"] = pick.randrange(2**40)
        return properties

    def priority(self) -> int | None:
        return self._random.choice([None, 0, 5, 255])

    def content(self) -> dict[str, str]:
        types = ("", "application/json", "text/plain", "application/x-python-serialize", "ü")
        encodings = ("", "utf-8", "gzip", "utf-16", "binary", "\x00")
        if self._random.random() < 0.6:
            return {"content_type": "application/json", "content_encoding": "utf-8"}
        return {
            "content_type": self._random.choice(types),
            "content_encoding": self._random.choice(encodings),
        }


def runs(project: Project) -> int:
    file = project.folder / "notes" / "runs"
    return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.fixture
def keeper(project: Project) -> Project:
    """A project of one Step, which counts its runs."""
    project.step("keeps", ["kept"], retries=0, source=KEEPS)
    return project


def settled(project: Project, count: int) -> tuple[int, int]:
    """How many of so many messages ran, and how many are dead letters, once all are either."""
    letters = 0

    def all_settled() -> bool:
        nonlocal letters
        letters += len(project.take(project.names.dead_letter_queue))
        return runs(project) + letters >= count

    try:
        wait_until(all_settled, f"{count} messages are settled", 60, pause=0.3)
    except AssertionError as late:
        waiting = project.depth(project.queue("keeps"))
        told = f"{runs(project)} ran, {letters} are dead letters, {waiting} wait"
        raise AssertionError(told) from late
    wait_until(lambda: project.depth(project.queue("keeps")) == 0, "an empty queue")
    return runs(project), letters + len(project.take(project.names.dead_letter_queue))


def test_each_of_many_random_messages_is_run_or_kept(keeper: Project) -> None:
    fuzz = Fuzz(keeper.settings().uses_rabbitmq)
    worker = keeper.worker(event_limit_bytes=4096)
    with keeper.channel() as channel:
        for _ in range(COUNT):
            message = channel.prepare_message(
                fuzz.body(),
                priority=fuzz.priority(),
                headers=fuzz.headers(),
                properties=fuzz.properties(),
                **fuzz.content(),
            )
            channel.basic_publish(message, exchange="", routing_key=keeper.queue("keeps"))
    ran, dead = settled(keeper, COUNT)
    assert ran + dead == COUNT
    assert min(ran, dead) > COUNT // 10
    assert worker.running
    pids = {*(keeper.folder / "notes" / "runs").read_text().split()}
    assert pids == {str(worker.pid)}


GARBAGE = [
    b"garbage",
    b"",
    b"\xff\xfe",
    b"5",
    b"null",
    b"[]",
    b'"text"',
    b"{}",
    b"[" * 5000,
    b'{"properties": 5}',
    b'{"properties": {}}',
    b'{"properties": {"delivery_tag": "t1"}}',
    b'{"properties": {"delivery_tag": "t2", "delivery_info": {}}, "body": "{}"}',
    b'{"properties": {"delivery_tag": "t7", "delivery_info": {"exchange": "", "routing_key": ""}}}',
    b'{"properties": {"delivery_tag": null, "delivery_info": {"exchange": "", "routing_key": ""}}}',
    b'{"body": "!!", "properties": {"body_encoding": "base64", "delivery_tag": "t3",'
    b' "delivery_info": {"exchange": "", "routing_key": ""}}}',
    b'{"body": "e30=", "properties": {"body_encoding": "rot13", "delivery_tag": "t4",'
    b' "delivery_info": {"exchange": "", "routing_key": ""}}}',
    b'{"body": "e30=", "headers": 5, "content-type": [], "properties": {"body_encoding": "base64",'
    b' "delivery_tag": "t5", "delivery_info": {"exchange": "", "routing_key": ""}}}',
    *(
        b'{"body": "e30=", "headers": {"a": ' + b"[" * levels + b"]" * levels + b"},"
        b' "content-type": "text/odd", "properties": {"body_encoding": "base64",'
        b' "delivery_tag": "t6", "delivery_info": {"exchange": "", "routing_key": ""}}}'
        for levels in (300, 950, 1015)
    ),
]


@pytest.mark.parametrize("project", ["redis"], indirect=True)
@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_what_is_no_message_in_redis_neither_ends_the_worker_nor_costs_others(
    keeper: Project, kind: str
) -> None:
    """Another program, or an operator's hand, may push anything to the list of a queue."""
    keeper.step("keeps", ["kept"], source=KEEPS, infrastructure={"queue": {"type": kind}})
    worker = keeper.worker()
    key = f"{keeper.prefix}:broker:{keeper.queue('keeps')}"
    with redis.Redis.from_url(keeper.settings().redis) as client:
        for rubbish in GARBAGE:
            client.lpush(key, rubbish)
            keeper.publish(keeper.queue("keeps"), b"{}")
    wait_until(lambda: runs(keeper) >= len(GARBAGE) or not worker.running, "all events ran", 60)
    assert worker.running
    ran, dead = settled(keeper, 2 * len(GARBAGE))
    assert (ran, dead) == (len(GARBAGE), len(GARBAGE))


@pytest.mark.parametrize("project", ["rabbitmq"], indirect=True)
def test_a_made_up_history_does_not_keep_others_from_becoming_dead_letters(
    keeper: Project,
) -> None:
    """RabbitMQ's own dead-letter process ends on some of these, and the next time again."""
    histories: list[Any] = [1, "a", [], [1], ["a"], {}, [{}], [{"queue": 1}]]
    histories += [[{"queue": "q", "reason": "rejected", "count": "many"}]]
    keeper.worker()
    for history in histories:
        keeper.publish(keeper.queue("keeps"), b"no JSON", headers={"x-death": history})
    keeper.publish(keeper.queue("keeps"), b"nor this")
    letters = keeper.dead_letters(len(histories) + 1)
    assert len(letters) == len(histories) + 1
    assert b"nor this" in {letter.body for letter in letters}


RUBBISH = [
    (b"\x80\x04N.", "application/x-python-serialize"),
    (b"{oh no", "application/json"),
    (b"[" * 5000, "application/json"),
    *((body, "application/json") for body in (b"5", b"null", b"[]", b"{}", b'{"method": 5}')),
    (b'{"method": "nothing", "arguments": [1]}', "application/json"),
    (b'{"method": "ping", "arguments": 5, "reply_to": 5}', "application/json"),
    (b"!!js/function x", "application/x-yaml"),
]


def test_rubbish_for_remote_control_does_not_end_the_worker(keeper: Project) -> None:
    """A pickle is not even read there."""
    worker = keeper.worker()
    exchange = Exchange(f"{keeper.prefix}.control.pidbox", type="fanout", durable=False)
    with keeper.channel() as channel:
        exchange(channel).declare()
        for body, content_type in RUBBISH:
            message = channel.prepare_message(
                body, content_type=content_type, content_encoding="utf-8", headers={}
            )
            channel.basic_publish(message, exchange=exchange.name, routing_key="")
    keeper.emit("kept", {})
    wait_until(lambda: runs(keeper) == 1, "an event ran")
    name = f"{keeper.prefix}-{worker.pid}@{socket.gethostname()}"
    options = ("--timeout", "20", "--destination", name)
    inspected = keeper.start("-m", "celery", "-A", "motia_celery.app", "inspect", *options, "ping")
    assert inspected.wait() == 0, inspected.output
    assert worker.running


@pytest.mark.parametrize("kind", ["pickle", "yaml", "msgpack", "application/x-python-serialize"])
def test_only_json_is_accepted(keeper: Project, kind: str) -> None:
    """By workers, by remote control, and where a result would be read."""
    settings = keeper.settings()
    plan = compile_plan(prefix=settings.prefix, timezone="UTC", steps=(), streams=(), problems=())
    conf = celery_settings(settings, plan, None)
    assert conf.keys().isdisjoint({"result_accept_content", "redbeat_serializer"})
    assert kind not in prepare_accept_content(conf["accept_content"])
    assert {conf["task_serializer"], conf["result_serializer"]} == {"json"}
