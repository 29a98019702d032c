"""A web process for hostile clients, and what they look at."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from integration.apps import Process, Project, wait_until
from integration.raw_http import exchange, request
from servers import Room, free_port, listens

LIMIT = 1 << 20
JSON = "application/json"

STEPS = {
    "echo": """
import os

config = {"type": "api", "name": "echo", "method": "POST", "path": "/echo", "emits": []}


async def handler(req, context):
    parts = {name: req.get(name) for name in ("body", "queryParams", "rawBody", "pathParams")}
    return {"status": 200, "body": {**parts, "headers": req["headers"], "pid": os.getpid()}}
""",
    "file": """
config = {"type": "api", "name": "file", "method": "GET", "path": "/files/:name", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": req["pathParams"]}
""",
    "checked": """
config = {
    "type": "api", "name": "checked", "method": "POST", "path": "/checked", "emits": [],
    "bodySchema": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
    "validateBody": True,
}


async def handler(req, context):
    return {"status": 200, "body": "fit"}
""",
    "odd": """
config = {"type": "api", "name": "odd", "method": "POST", "path": "/odd", "emits": []}


def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


def circular():
    value = {}
    value["self"] = value
    return value


ODD = {
    "a number": lambda: 5,
    "a lone surrogate": lambda: {"status": 200, "body": "\\ud800"},
    "no JSON": lambda: {"status": 200, "body": object()},
    "deep": lambda: {"status": 200, "body": deep()},
    "circular": lambda: {"status": 200, "body": circular()},
    "a huge number": lambda: {"status": 200, "body": {"n": 10**400}},
}


async def handler(req, context):
    body = req["body"]
    return ODD[body["odd"]]() if "odd" in body else body
""",
    "large": """
config = {"type": "api", "name": "large", "method": "GET", "path": "/large", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": b"x" * (64 << 20)}
""",
    "later": """
import asyncio

config = {"type": "api", "name": "later", "method": "GET", "path": "/later", "emits": []}


async def handler(req, context):
    await asyncio.sleep(0.3)
    return {"status": 200, "body": "later"}
""",
}


class Web:
    """A running web process."""

    def __init__(self, process: Process, port: int) -> None:
        self.process, self.port = process, port

    @property
    def memory_mb(self) -> float:
        return psutil.Process(self.process.pid).memory_info().rss / (1 << 20)

    def ask(self, *parts: bytes) -> list[Any]:
        return exchange(self.port, *parts)

    def serves(self, client_port: int) -> bool:
        """Whether it has a connection to this client."""
        found = psutil.Process(self.process.pid).net_connections("tcp")
        return any(c.raddr and c.raddr.port == client_port for c in found)

    def lives(self) -> None:
        """The same process answers, and said nothing of a fault of its own."""
        (answer,) = self.ask(request(body=b"{}", content_type=JSON))
        assert answer.data["pid"] == self.process.pid


@contextlib.contextmanager
def running_web(room: Room, folder: Path) -> Iterator[Web]:
    """A web process with short patience; in the end it is as small and as whole as before."""
    with room.redis() as server:
        project = Project(folder, "hostile", server.url, None)
        for name, source in STEPS.items():
            project.file(name).write_text(source)
        with contextlib.closing(project):
            port = free_port()
            process = project.command(
                "web",
                host="127.0.0.1",
                port=port,
                body_limit_bytes=LIMIT,
                head_timeout_seconds=6,
                body_timeout_seconds=6,
                write_timeout_seconds=2,
            )
            process.wait_for_line("Web ready")
            wait_until(lambda: listens(port), "it listens")
            web = Web(process, port)
            yield web
            assert web.memory_mb < 400
            assert "Traceback" not in process.output
            assert process.terminate() in (0, -signal.SIGTERM)  # uvicorn passes the signal on


def refused(answer: Any, *statuses: int) -> None:
    """It is an error in our own words, without a word of Python."""
    assert answer.status in statuses
    assert list(answer.data) == ["error"]
    assert b"Traceback" not in answer.body and b'File "' not in answer.body
