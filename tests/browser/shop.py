"""The example app with a page in React, and what a test does to its orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from acceptance.conftest import Example, free_port, order, wait_for_web
from integration.apps import Process

PAGE = """
from pathlib import Path

SCRIPT = (Path(__file__).parent / "page.js").read_text()
HTML = '<!doctype html><title>Orders</title><div id="root"></div><script src="/page.js"></script>'

config = {"type": "api", "name": "page", "method": "GET", "path": "/:file", "emits": []}


async def handler(req, context):
    if req["pathParams"]["file"] == "page.js":
        return {"status": 200, "body": SCRIPT, "headers": {"content-type": "text/javascript"}}
    return {"status": 200, "body": HTML}
"""

#: Does what a test says, here or in a worker.
ACT = """
async def act(data, context):
    stream = context.streams[data.get("stream", "orders")]
    group, id = data["group"], data.get("id")
    if data["do"] == "set":
        await stream.set(group, id, {"item": data["item"], "status": data["status"]})
    elif data["do"] == "delete":
        await stream.delete(group, id)
    else:
        event = {"type": "note", "data": {"message": data["message"]}}
        await stream.send({"groupId": group}, event)
"""

BY_WEB = """
from .services.act import act

config = {"type": "api", "name": "act", "method": "POST", "path": "/act", "emits": ["act"]}


async def handler(req, context):
    if req["queryParams"]["by"] == "worker":
        await context.emit(topic="act", data=req["body"])
    else:
        await act(req["body"], context)
    return {"status": 200, "body": {}}
"""

BY_WORKER = """
from .services.act import act

config = {"type": "event", "name": "act-in-worker", "subscribes": ["act"], "emits": []}


async def handler(data, context):
    await act(data, context)
"""

SECRET = """
def can_access(subscription, auth_context):
    return auth_context is not None and auth_context["group"] == subscription["groupId"]


config = {"name": "secret", "baseConfig": {"storageType": "default"}, "canAccess": can_access}
"""

CONFIG = """
async def authenticate(request):
    token = request["headers"].get("sec-websocket-protocol", "").partition(",")[2].strip()
    return {"group": token} if token else None


stream_auth = {"authenticate": authenticate}
"""


class Shop:
    """The app. Its page is at ``/page``; web processes are known by their ports."""

    def __init__(self, folder: Path, script: str, **environment: str) -> None:
        self._example = Example(folder, **environment)
        orders = folder / "steps" / "orders"
        (orders / "page.js").write_text(script)
        (orders / "services" / "act.py").write_text(ACT)
        (orders / "page_step.py").write_text(PAGE)
        (orders / "act_step.py").write_text(BY_WEB)
        (orders / "act_in_worker_step.py").write_text(BY_WORKER)
        (orders / "secret_stream.py").write_text(SECRET)
        (folder / "motia_config.py").write_text(CONFIG)

    def start_web(self, port: int | None = None) -> tuple[int, Process]:
        """Starts a web process; gives its port too."""
        port = port or free_port()
        process = self._example.start("-m", "motia_celery", "web", PORT=str(port))
        wait_for_web(f"http://127.0.0.1:{port}", process)
        return port, process

    def start_worker(self) -> None:
        """Starts a worker, and returns once it is ready."""
        self._example.start("-m", "motia_celery", "worker").wait_for_line("worker.ready")

    def close(self) -> None:
        self._example.close()


def place_order(port: int, item: str, email: str) -> str:
    """Places an order, and gives its id; a worker sees to the rest."""
    return order(f"http://127.0.0.1:{port}", item, email=email)


def act(port: int, by: str = "web", **data: Any) -> None:
    """Changes a stream, in the web process or in a worker."""
    answer = httpx.post(f"http://127.0.0.1:{port}/act?by={by}", json=data, timeout=60)
    assert answer.status_code == 200, answer.text
