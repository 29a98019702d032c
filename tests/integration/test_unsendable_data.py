"""A failed event is kept as it came, whatever its handler made of it and whoever sent it."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest
from integration.apps import Project
from servers import free_ports

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


@pytest.mark.parametrize("kind", ["standard", "fifo", "prefork"])
def test_what_a_handler_does_to_its_data_is_not_sent_on(project: Project, kind: str) -> None:
    """Each attempt gets the event, and so does the dead letter."""
    infrastructure = FIFO if kind == "fifo" else {"queue": {"maxRetries": 1}}
    project.step("spoils", ["spoil"], source=SPOILS, infrastructure=infrastructure)
    project.worker(pool="prefork" if kind == "prefork" else "async", concurrency=2)
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


ROUTES = {
    "python_step.py": """
config = {"type": "api", "name": "python", "method": "POST", "path": "/python", "emits": []}


async def handler(req, context):
    data = object() if req["body"]["odd"] else "x" * 5000
    await context.emit({"topic": "made", "data": data})
    return {"status": 202}
""",
    "node.step.js": """
export const config = {
  type: 'api', name: 'node', method: 'POST', path: '/node', emits: [],
}
export const handler = async (req, { emit }) => {
  await emit({ topic: 'made', data: req.body.odd ? 1n : 'x'.repeat(5000) })
  return { status: 202 }
}
""",
}


def test_a_route_that_emits_what_can_not_be_sent_is_at_fault_itself(
    make_project: Callable[..., Project],
) -> None:
    """A 500, in both languages: to ask again would not help."""
    project = make_project(None, event_limit_bytes=4096)
    project.step("made", ["made"])
    for name, source in ROUTES.items():
        (project.folder / "steps" / name).write_text(source)
    (port,) = free_ports(1)
    project.command("web", port=port).wait_for_line("web.ready")
    for language in ("python", "node"):
        for odd in (True, False):
            url = f"http://127.0.0.1:{port}/{language}"
            answer = httpx.post(url, json={"odd": odd}, timeout=60)
            assert (answer.status_code, answer.json()) == (500, {"error": "Internal server error"})
    assert project.depth(project.queue("made")) == 0
