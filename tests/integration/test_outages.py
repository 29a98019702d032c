"""Emits while RabbitMQ is away: a route's fails, and does not happen later; a run's waits."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest
from integration.apps import Project, wait_until
from servers import RabbitNode, free_ports

#: It catches nothing, and would say so if it went on.
API = """
config = {"type": "api", "name": "api", "method": "POST", "path": "/python/:n", "emits": ["made"]}


async def handler(req, context):
    await context.emit(topic="made", data={"token": "python " + req["pathParams"]["n"]})
    return {"status": 202, "body": "went on"}
"""
API_IN_NODE = """
export const config = {
  type: 'api', name: 'api-too', method: 'POST', path: '/node/:n', emits: ['made'],
};
export const handler = async (req: any, { emit }: any) => {
  await emit({ topic: 'made', data: { token: `node ${req.pathParams.n}` } });
  return { status: 202, body: 'went on' };
};
"""
#: Emits when the file `go` is there.
EMITS = """
import asyncio
from pathlib import Path

from acts import note

config = {config!r}


async def handler(data, context):
    note("begun", config["name"], data, context)
    while not (Path(__file__).parents[1] / "go").exists():
        await asyncio.sleep(0.05)
    await context.emit(topic="made", data={"token": "late"})
    note("done", config["name"], data, context)
"""
TIMEOUT = 2.0


@pytest.fixture
def stopped(private_rabbitmq: RabbitNode) -> Iterator[Callable[[], None]]:
    """Pauses the broker's process; it goes on in the end, so that it can be removed."""
    yield lambda: private_rabbitmq.send(signal.SIGSTOP)
    private_rabbitmq.send(signal.SIGCONT)


@pytest.fixture
def project(private_rabbitmq: RabbitNode, make_project: Callable[..., Project]) -> Project:
    project = make_project(private_rabbitmq.url)
    (project.folder / "steps" / "api_step.py").write_text(API)
    (project.folder / "steps" / "api_too.step.ts").write_text(API_IN_NODE)
    project.step("made", ["made"])
    return project


def serve(project: Project) -> httpx.Client:
    """A client of the project's web process, which has a connection to the broker."""
    (port,) = free_ports(1)
    web = project.command("web", port=port, emit_timeout_seconds=TIMEOUT)
    web.wait_for_line("web.ready")
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
    for language in ("python", "node"):
        assert client.post(f"/{language}/before").status_code == 202
    return client


def refused(client: httpx.Client, n: int) -> None:
    """Emits of both languages are answered with a 503, in their time."""
    for language in ("python", "node"):
        began = time.monotonic()
        answer = client.post(f"/{language}/{n}")
        assert (answer.status_code, answer.json()) == (503, {"error": "Service Unavailable"})
        assert time.monotonic() - began < TIMEOUT + 8  # far from a 504, on a busy machine too


def found(project: Project) -> set[str]:
    return {letter.data["token"] for letter in project.take(project.queue("made"))}


def test_an_emit_that_a_route_reported_as_failed_does_not_happen_later(
    project: Project, private_rabbitmq: RabbitNode
) -> None:
    """The broker is killed, and comes back while the web process lives."""
    with closing(serve(project)) as client:
        private_rabbitmq.kill()
        for n in range(3):
            refused(client, n)
        private_rabbitmq.start()
        wait_until(lambda: client.post("/python/after").status_code == 202, "the broker", 90)
    assert found(project) == {"python before", "node before", "python after"}


def test_a_broker_that_hangs_gets_no_more_than_what_it_had_been_sent(
    project: Project, private_rabbitmq: RabbitNode, stopped: Callable[[], None]
) -> None:
    """A first emit may be on its way in the connection; those after it are never sent."""
    with closing(serve(project)) as client:
        stopped()
        for n in range(3):
            refused(client, n)
        private_rabbitmq.send(signal.SIGCONT)
        wait_until(lambda: client.post("/python/after").status_code == 202, "the broker", 90)
    made = found(project)
    assert made - {"python 0"} == {"python before", "node before", "python after"}


def test_the_emit_of_a_run_waits_for_the_broker(
    project: Project, private_rabbitmq: RabbitNode
) -> None:
    """Past the time of a route's emit; the attempt does not fail."""
    project.step("emits", ["ask"], source=EMITS)
    worker = project.worker("--steps", "emits", emit_timeout_seconds=1)
    project.emit("ask", {})
    project.wait_for("emits", 1, "begun")
    private_rabbitmq.kill()
    (project.folder / "go").touch()
    worker.wait_for_line("publish.waiting")
    time.sleep(3)  # three times what a route's emit may take
    assert project.notes("emits", "done") == []
    private_rabbitmq.start()
    done = project.wait_for("emits", 1, "done", seconds=60)
    assert {note["attempt"] for note in done} == {1}
    assert "late" in found(project)
    assert "run.failed" not in worker.output
