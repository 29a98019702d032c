"""How many connections each process opens: what ``doctor`` says, counted under load.

Hosted plans limit them, so a process that opens more than it says is a fault.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import redis
from integration.apps import Process, Project, wait_until
from servers import RabbitNode, free_ports

from motia_celery.run.doctor import connections

RUNS = 200

API = """
config = {"type": "api", "name": "api", "method": "POST", "path": "/go", "emits": ["asked"]}


async def handler(req, context):
    n = str(req["body"]["n"])
    await context.state.set("api", n, n)
    await context.emit({"topic": "asked", "data": {"n": n}})
    return {"status": 202, "body": await context.state.get("api", n)}
"""
#: Each run fails once, so that its retry goes the way of delayed messages.
BUSY = """
import asyncio

config = {config!r}


async def handler(data, context):
    await asyncio.gather(*(context.state.get("api", data["n"]) for _ in range(5)))
    await context.emit({"topic": "answered", "data": data})
    if context.attempt == 1 and int(data["n"]) % 4 == 0:
        raise ValueError("once")
    await asyncio.sleep(0.05)
    await context.state.set("busy", data["n"], 1)
"""
LAST = """
config = {config!r}


async def handler(data, context):
    await context.state.set("last", data["n"], 1)
"""
TICK = """
config = {"type": "cron", "name": "tick", "cron": "* * * * * *", "emits": []}


async def handler(context):
    await context.state.set("tick", "tick", 1)
"""


@dataclass
class Watch:
    """Counts, again and again, the connections of some processes to some ports."""

    processes: dict[str, Process]
    ports: dict[int, str]
    most: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __enter__(self) -> Watch:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.05):
            self.look()

    def look(self) -> None:
        for role, process in self.processes.items():
            for server, count in self._count(process).items():
                self.most[role, server] = max(self.most[role, server], count)

    def _count(self, process: Process) -> Counter[str]:
        found: Counter[str] = Counter()
        with suppress(psutil.NoSuchProcess):
            for one in psutil.Process(process.pid).net_connections("tcp"):
                if one.status == "ESTABLISHED" and one.raddr and one.raddr.port in self.ports:
                    found[self.ports[one.raddr.port]] += 1
        return found


async def load(address: str) -> None:
    """Many requests at once, with health checks in between."""
    # The server lets go of idle connections, so each request has one of its own.
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60) as client:

        async def one(n: int) -> None:
            if n % 10 == 0:
                await client.get("/health/ready")
            answer = await client.post("/go", json={"n": n})
            assert answer.status_code == 202, answer.text

        await asyncio.gather(*(one(n) for n in range(RUNS)))


def write_steps(project: Project) -> None:
    project.step("busy", ["asked"], source=BUSY, emits=["answered"], retries=3)
    project.step("last", ["answered"], source=LAST)
    (project.folder / "steps" / "api_step.py").write_text(API)
    (project.folder / "steps" / "tick_step.py").write_text(TICK)


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def names_on_redis(client: Any, prefix: str) -> set[str]:
    named = (one["name"] for one in client.client_list())
    return {name for name in named if name.startswith(prefix)}


def names_on_rabbitmq(node: RabbitNode, prefix: str) -> set[str]:
    named = (str(one.get("user_provided_name")) for one in node.api("GET", "/connections"))
    return {name for name in named if name.startswith(prefix)}


def test_no_process_opens_more_connections_than_doctor_says(
    project: Project, request: pytest.FixtureRequest
) -> None:
    write_steps(project)
    settings = project.settings()
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    web, beat = project.command("web", port=port), project.command("beat")
    processes = {"web": web, "beat": beat, "worker": project.worker()}
    wait_until(lambda: is_ready(address), "web is ready")
    ports = {urlsplit(settings.redis).port or 6379: "redis"}
    if settings.uses_rabbitmq:
        ports[urlsplit(settings.broker).port or 5672] = "rabbitmq"
    with redis.Redis.from_url(settings.redis, decode_responses=True) as store:
        with Watch(processes, ports) as watch:
            asyncio.run(load(address))
            group = f"{project.prefix}:state:last"
            wait_until(lambda: store.hlen(group) == RUNS, "every run is done", 60)
            inspect = project.start("-m", "celery", "-A", "motia_celery.app", "inspect", "active")
            assert inspect.wait() == 0, inspect.output
        expected = {f"{project.prefix}-{role}-{one.pid}" for role, one in processes.items()}
        assert expected <= names_on_redis(store, project.prefix)
    print(dict(watch.most))
    for said in connections(settings):
        role = said.process.split()[0]
        assert watch.most[role, "rabbitmq"] <= said.rabbitmq, watch.most
        assert watch.most[role, "redis"] <= said.redis, watch.most
        assert watch.most[role, "redis"] > 0
    if settings.uses_rabbitmq:
        node = request.getfixturevalue("rabbitmq")
        wait_until(lambda: expected <= names_on_rabbitmq(node, project.prefix), "named connections")
