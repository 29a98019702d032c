"""An app with its Workbench on, and a client that asks it as the page does."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from integration.apps import Project
from servers import GivenRabbit, RabbitNode, Room, free_port

TOKEN = "t" * 32
API_STEP = """
config = {
    "type": "api", "name": "place", "method": "POST", "path": "/things/:id",
    "emits": ["thing.made"], "flows": ["things"],
    "queryParams": [{"name": "size", "description": "How large"}],
    "bodySchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
}


async def handler(req, context):
    await context.emit(topic="thing.made", data=req["body"])
    return {"status": 200, "body": req["body"]}
"""

CRON_STEP = """
from acts import note

config = {"type": "cron", "name": "tick/tock", "cron": "* * * * * *", "timezone": "Europe/Rome",
          "emits": []}


async def handler(context):
    note("done", "tick/tock", None, context)
"""

STREAM = """
config = {"name": "things", "baseConfig": {"storageType": "default"},
          "schema": {"type": "object", "properties": {"n": {"type": "number"}}}}
"""

TYPESCRIPT = """
export const config = {
  type: 'event', name: 'typed', subscribes: ['typed'], emits: [], flows: ['things'],
};

export const handler = async (input: unknown, context: any) => {};
"""


class Bench:
    """The app's processes, and its Workbench's address."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.step("makes", ["thing.made"], flows=["things"], retries=0)
        project.step("fails", ["fails"], retries=0)
        project.step("paused", ["paused"])
        project.step("kept", ["kept"])
        folder = project.folder / "steps"
        (folder / "place_step.py").write_text(API_STEP)
        (folder / "tick_step.py").write_text(CRON_STEP)
        (folder / "things_stream.py").write_text(STREAM)
        (folder / "typed.step.ts").write_text(TYPESCRIPT)
        self.port = free_port()
        self.web = project.command(
            "web", port=self.port, host="127.0.0.1", admin_token=TOKEN, body_limit_bytes=1 << 20
        )
        self.web.wait_for_line("web.ready")
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            timeout=60,
            headers={"authorization": f"Bearer {TOKEN}"},
        )

    def ask(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        """What an endpoint of the API answers."""
        answer = self.client.request(method, f"/__workbench/api{path}", **options)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        return answer.json()

    def get(self, path: str, status: int = 200, /, **params: Any) -> Any:
        return self.ask("GET", path, status, params=params)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self.ask("POST", path, status, json=body)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self.ask("PUT", path, status, json=body)

    @contextmanager
    def feed(self, *wants: str, last: str = "") -> Iterator[Feed]:
        """The live feed, from its first message on."""
        headers = {"last-event-id": last} if last else {}
        url = "/__workbench/api/feed"
        with self.client.stream("GET", url, params={"want": wants}, headers=headers) as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            yield Feed(response)

    def close(self) -> None:
        self.client.close()


@contextmanager
def running_bench(
    room: Room, folder: Path, rabbitmq: RabbitNode | GivenRabbit | None = None
) -> Iterator[Bench]:
    """An app on servers of its own; without a RabbitMQ it has Redis as its broker."""
    prefix = f"w{secrets.token_hex(4)}"
    amqp_url = rabbitmq.vhost() if rabbitmq else None
    with room.redis() as server:
        project = Project(folder, prefix, server.url, amqp_url)
        with closing(project), closing(Bench(project)) as made:
            yield made
    if isinstance(rabbitmq, GivenRabbit):
        rabbitmq.delete_queues([plan.name for plan in project.topology.queues])
        rabbitmq.forget(prefix)
    elif rabbitmq is not None and amqp_url:
        rabbitmq.drop_vhost(amqp_url)


class Feed:
    """The messages of a live feed."""

    #: Heartbeats come for ever, so waiting for a message has an end of its own.
    SECONDS = 120

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()
        self._end = time.monotonic() + self.SECONDS
        self.last = ""

    def next(self) -> dict[str, Any]:
        """The next message; heartbeats are none."""
        for line in self._lines:
            assert time.monotonic() < self._end, "the feed did not tell it"
            if line.startswith("id: "):
                self.last = line.removeprefix("id: ")
            if line.startswith("data: "):
                return dict(json.loads(line.removeprefix("data: ")))
        raise AssertionError("the feed has ended")

    def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next message of that kind with these fields."""
        while True:
            message = self.next()
            if message["type"] == kind and fields.items() <= message.items():
                return message
