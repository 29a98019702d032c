"""The example app in a folder of its own, and the commands that a user types."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import redis
import servers
from integration.apps import ROOT, Process, wait_until

#: A cron Step that leaves one entry a run, so that a slot which ran twice is seen.
TICKS = """
import uuid

config = {"type": "cron", "name": "ticks", "cron": "* * * * * *", "emits": []}


async def handler(context):
    await context.state.set("ticks", f"{context.run_id}/{uuid.uuid4()}", context.run_id)
"""


class Example:
    """The example app, copied; its processes; what its Steps wrote to Redis."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = environment
        self._processes: list[Process] = []
        for name in ("steps", "config"):
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(ROOT / "Procfile", folder)
        (folder / "steps" / "ticks_step.py").write_text(TICKS)

    def start(self, *arguments: str, **environment: str) -> Process:
        """``python …`` in the app's folder."""
        inherited = {n: v for n, v in os.environ.items() if not n.startswith("MOTIA_")}
        log = self.folder / f"{len(self._processes)}.log"
        process = Process(
            arguments,
            self.folder,
            {
                **inherited,
                "PYTHONPATH": str(ROOT),
                "PYTHONUNBUFFERED": "1",
                **self.environment,
                **environment,
            },
            log,
        )
        self._processes.append(process)
        return process

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            print(f"--- {process.log.name}\n{process.output[-20_000:]}")


class State:
    """State as the Steps left it, read straight from Redis."""

    def __init__(self, url: str, prefix: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._prefix = prefix

    def group(self, name: str) -> dict[str, Any]:
        found = self._client.hgetall(f"{self._prefix}:state:{name}")
        return {key.decode(): orjson.loads(value) for key, value in found.items()}

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def make_example(tmp_path: Path) -> Iterator[Any]:
    made: list[Example] = []

    def make(**environment: str) -> Example:
        made.append(Example(tmp_path / f"app{len(made)}", **environment))
        return made[-1]

    yield make
    for example in made:
        example.close()


def free_port() -> int:
    return servers.free_port()


def wait_for_web(address: str, process: Process, seconds: float = 60) -> None:
    """Returns once the app is ready to take requests, broker and store included."""

    def ready() -> bool:
        assert process.running, process.output
        try:
            return httpx.get(f"{address}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    wait_until(ready, f"{address} is ready", seconds)


def type_requests(lines: Iterable[str], port: int) -> str:
    """What the last of these lines of `curl` prints; each gets the id that one before it gave."""
    identity = answer = ""
    for line in lines:
        command = re.sub(r"\b(ORDER_)?ID\b", identity, line.split("  #")[0])
        command = command.replace("localhost:3000", f"localhost:{port}")

        def asked(command: str = command) -> str:
            done = subprocess.run(
                ["/bin/sh", "-c", f"{command} -m 60 --fail"],
                capture_output=True,
                text=True,
                timeout=100,
                check=False,
            )
            return done.stdout if done.returncode == 0 else ""

        # What an event leaves may not be there at once.
        answer = wait_until(asked, f"an answer to {command}", 60)
        found = json.loads(answer)
        identity = found.get("orderId") or found.get("id") or identity
    return answer


def order(address: str, item: str, quantity: int = 1, email: str = "ann@example.com") -> str:
    """Places an order, and gives its id."""
    asked = {"item": item, "quantity": quantity, "email": email}
    answer = httpx.post(f"{address}/orders", json=asked)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["orderId"])


def settled(address: str, order_id: str, seconds: float = 60) -> dict[str, Any]:
    """The order once its flow is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = httpx.get(f"{address}/orders/{order_id}").json()
        if found.get("status") in ("paid", "rejected"):
            return dict(found)
        assert time.monotonic() < deadline, f"the order is still {found}"
        time.sleep(0.1)
