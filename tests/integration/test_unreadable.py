"""What AMQP allows and py-amqp can not read: the message is refused, and the worker goes on."""

from __future__ import annotations

from struct import pack
from typing import Any

import amqp
import pytest
from integration.apps import Project
from integration.letters import dlq

JSON = b"\x10application/json"
_CONTENT_TYPE, _HEADERS = 1 << 15, 1 << 13


def sized(content: bytes) -> bytes:
    return pack(">I", len(content)) + content


def nested(levels: int) -> bytes:
    """A header ``a`` of so many tables in one another."""
    table = b""
    for _ in range(levels):
        table = b"\x01aF" + sized(table)
    return table


HEADERS = {
    "deep": nested(3000),
    "far future": b"\x01aT\x7f" + b"\xff" * 7,
    "before time": b"\x01aT" + b"\xff" * 8,
}


class RawMessage(amqp.Message):
    """A message with headers as they are on the wire."""

    raw_headers: bytes

    def _serialize_properties(self) -> bytes:
        return pack(">H", _CONTENT_TYPE | _HEADERS) + JSON + sized(self.raw_headers)


def publish(project: Project, headers: bytes = b"", key: Any = "x") -> None:
    message = RawMessage(b'{"token": "odd"}')
    message.raw_headers = headers
    with project.connection() as connection:
        connection.default_channel.basic_publish(
            message, exchange=project.names.events, routing_key=key
        )


@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_headers_that_can_not_be_read_make_a_dead_letter(on_rabbitmq: Project, kind: str) -> None:
    """With the body, and a word on what is wrong; no command stumbles over it."""
    project = on_rabbitmq
    project.step("hears", ["x"], infrastructure={"queue": {"type": kind}})
    worker = project.worker()
    for headers in HEADERS.values():
        publish(project, headers)
    project.emit("x", {"token": "after"})
    project.wait_for("hears", token="after", seconds=60)
    letters = dlq(project, "list", "--json").letters
    assert [letter["data"] for letter in letters] == [{"token": "odd"}] * len(HEADERS)
    assert {letter["error"]["message"] for letter in letters} == {"its properties can not be read."}
    assert worker.running


def test_a_routing_key_that_is_no_text_is_an_unknown_topic(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("hears", ["x.#"])
    worker = project.worker()
    publish(project, key=b"x.\xff" + b"\xfe" * 200)
    (note,) = project.wait_for("hears", token="odd", seconds=60)
    assert note["topic"] is None or "�" in note["topic"]
    assert worker.running
