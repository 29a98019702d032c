"""A failed event is kept as it came, whatever its handler made of it and whoever sent it."""

from __future__ import annotations

import json

import pytest
from integration.apps import Project

#: Spoils what it was given, and fails.
SPOILS = """
import json

from acts import note

config = {config!r}


async def handler(data, context):
    note("begun", config["name"], json.loads(json.dumps(data)), context)
    data.pop("token")
    data["thing"] = object()
    raise ValueError("fails")
"""
FIFO = {"queue": {"type": "fifo", "maxRetries": 1}}


def publish(project: Project, topic: str, body: bytes) -> None:
    """As any AMQP client does it."""
    with project.connection() as connection:
        channel = connection.default_channel
        message = channel.prepare_message(
            body, content_type="application/json", content_encoding="utf-8"
        )
        channel.basic_publish(message, exchange=project.names.events, routing_key=topic)


@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_what_a_handler_does_to_its_data_is_not_sent_on(project: Project, kind: str) -> None:
    """Each attempt gets the event, and so does the dead letter."""
    infrastructure = FIFO if kind == "fifo" else {"queue": {"maxRetries": 1}}
    project.step("spoils", ["spoil"], source=SPOILS, infrastructure=infrastructure)
    project.worker()
    data = {"token": "t", "n": 1.0, "deep": {"a": [1, 2]}}
    project.emit("spoil", data)
    (letter,) = project.dead_letters()
    assert letter.data == data
    assert letter.headers["motia-error-type"] == "ValueError"
    assert [note["data"] for note in project.notes("spoils", "begun")] == [data, data]


@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_a_number_of_any_size_can_be_tried_again_and_die(on_rabbitmq: Project, kind: str) -> None:
    """Other services send what no emit of a Step takes."""
    project = on_rabbitmq
    infrastructure = FIFO if kind == "fifo" else {"queue": {"maxRetries": 1}}
    project.step("large", ["large"], infrastructure=infrastructure)
    worker = project.worker()
    body = b'{"n": 123456789012345678901234567890, "fails": {"large": 9}, "f": 1.10}'
    publish(project, "large", body)
    (letter,) = project.dead_letters()
    assert letter.body == body
    assert letter.headers["motia-error-type"] == "ValueError"
    notes = project.notes("large", "begun")
    assert [(n["attempt"], n["data"]["n"]) for n in notes] == [
        (1, 123456789012345678901234567890),
        (2, 123456789012345678901234567890),
    ]
    assert worker.running


def test_data_nested_too_deeply_is_refused_at_once(on_rabbitmq: Project) -> None:
    """It is a dead letter with its body, which says what is wrong; the worker goes on."""
    project = on_rabbitmq
    project.step("deep", ["deep"])
    worker = project.worker()
    deep = b'{"a": ' + b"[" * 300 + b"]" * 300 + b"}"
    wide = {"token": "wide", "list": [[{"n": n}] for n in range(1000)]}
    publish(project, "deep", deep)
    publish(project, "deep", json.dumps(wide).encode())
    (letter,) = project.dead_letters()
    assert letter.body == deep
    project.wait_for("deep", token="wide")
    assert "nested" in worker.words
