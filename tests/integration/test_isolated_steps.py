"""Isolated Steps in the app's real processes: counters at module level, in both languages."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from integration.apps import Process, Project, wait_until
from servers import Room, free_port

PYTHON = """
import os

config = {config!r}
count = 0


async def handler(data, context):
    global count
    count += 1
    told = {"name": config["name"], "count": count, "pid": os.getpid()}
    if config["type"] == "api":
        return {"status": 200, "body": told}
    if data.get("dies"):
        os._exit(1)
    await context.emit({"topic": "counted", "data": told})
"""

TYPESCRIPT = """
export const config = CONFIG;
let count = 0;

export const handler = async (data: any, context: any) => {
  const told = { name: config.name, count: ++count, pid: process.pid };
  if (config.type === 'api') return { status: 200, body: told };
  if (data.dies) process.kill(process.pid, 'SIGKILL');
  await context.emit({ topic: 'counted', data: told });
};
"""


COUNTS = """
from acts import note

config = {config!r}
count = 0


async def handler(data, context):
    global count
    count += 1
    note("done", config["name"], count, context)
"""


class Counters:
    """A web process and a worker with a counter for each language, kind and isolation."""

    def __init__(self, project: Project) -> None:
        self.project = project
        for isolated in ("isolated", "shared"):
            for language in ("python", "typescript"):
                self._write(language, isolated, "event")
                self._write(language, isolated, "api")
        project.step("collects", ["counted"])
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.web = project.command("web", port=port, host="127.0.0.1", emit_route=True)
        self.web.wait_for_line("web.ready")
        self.worker: Process = project.worker()

    def _write(self, language: str, isolated: str, kind: str) -> None:
        name = f"{language}-{isolated}-{kind}"
        config: dict[str, Any] = {"type": kind, "name": name}
        if kind == "api":
            config |= {"method": "GET", "path": f"/{name}"}
        else:
            config |= {"subscribes": [name]}
        infrastructure: dict[str, Any] = {"handler": {"isolated": isolated == "isolated"}}
        if kind == "event":
            infrastructure["queue"] = {"maxRetries": 0}
        config["infrastructure"] = infrastructure
        steps = self.project.folder / "steps"
        if language == "python":
            text = PYTHON.replace("{config!r}", repr(config))
            (steps / f"{name.replace('-', '_')}_step.py").write_text(text)
        else:
            text = TYPESCRIPT.replace("CONFIG", httpx.Response(200, json=config).text)
            (steps / f"{name}.step.ts").write_text(text)

    def request(self, name: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.address}/{name}", timeout=60)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def emit(self, name: str, **data: Any) -> None:
        body = {"topic": name, "data": data}
        httpx.post(f"{self.address}/emit", json=body, timeout=60).raise_for_status()

    def counted(self, name: str, count: int) -> list[dict[str, Any]]:
        def found() -> list[dict[str, Any]]:
            notes = self.project.notes("collects", "done")
            return [note["data"] for note in notes if note["data"]["name"] == name]

        wait_until(lambda: len(found()) >= count, f"{count} runs of {name}", 60)
        return found()


@pytest.fixture(scope="module")
def counters(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counters]:
    with room.redis() as server:
        folder: Path = tmp_path_factory.mktemp("isolated")
        project = Project(folder, f"i{secrets.token_hex(4)}", server.url, None)
        with closing(project):
            yield Counters(project)


@pytest.mark.parametrize("language", ["python", "typescript"])
def test_routes(counters: Counters, language: str) -> None:
    isolated = [counters.request(f"{language}-isolated-api") for _ in range(3)]
    shared = [counters.request(f"{language}-shared-api") for _ in range(3)]
    assert [answer["count"] for answer in isolated] == [1, 1, 1]
    assert len({answer["pid"] for answer in isolated}) == 3
    assert [answer["count"] for answer in shared] == [1, 2, 3]
    assert len({answer["pid"] for answer in shared}) == 1


@pytest.mark.parametrize("language", ["python", "typescript"])
def test_events(counters: Counters, language: str) -> None:
    for kind in ("isolated", "shared"):
        for _ in range(3):
            counters.emit(f"{language}-{kind}-event")
    isolated = counters.counted(f"{language}-isolated-event", 3)
    shared = counters.counted(f"{language}-shared-event", 3)
    assert [answer["count"] for answer in isolated] == [1, 1, 1]
    assert len({answer["pid"] for answer in isolated}) == 3
    assert sorted(answer["count"] for answer in shared) == [1, 2, 3]


@pytest.mark.parametrize("language", ["python", "typescript"])
def test_a_run_that_ends_its_process_is_a_dead_letter_and_the_worker_goes_on(
    counters: Counters, language: str
) -> None:
    project = counters.project
    project.take(project.names.dead_letter_queue)
    counters.emit(f"{language}-isolated-event", dies=True)
    (letter,) = project.dead_letters(1, seconds=60)
    assert "HostDiedError" in str(letter.headers)
    before = len(counters.counted(f"{language}-isolated-event", 0))
    counters.emit(f"{language}-isolated-event")
    assert counters.counted(f"{language}-isolated-event", before + 1)[-1]["count"] == 1


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_the_other_pools(make_project: Callable[..., Project], pool: str) -> None:
    project = make_project(None, pool=pool, concurrency=2, isolated_steps=True)
    project.step("own", ["own"], source=COUNTS)
    project.step("common", ["own"], source=COUNTS, infrastructure={"handler": {"isolated": False}})
    worker = project.worker()
    for _ in range(3):
        project.emit("own", {})
    own, common = project.wait_for("own", 3, seconds=60), project.wait_for("common", 3, seconds=60)
    assert [note["data"] for note in own] == [1, 1, 1]
    assert len({note["pid"] for note in own}) == 3
    assert max(note["data"] for note in common) > 1
    family = psutil.Process(worker.pid).children(recursive=True)
    worker.terminate()
    assert not psutil.wait_procs(family, timeout=60)[1]


def test_a_stopped_process_leaves_none_behind(counters: Counters) -> None:
    """The last test: it ends both."""
    counters.request("python-isolated-api")
    family = [
        child
        for process in (counters.web, counters.worker)
        for child in psutil.Process(process.pid).children(recursive=True)
    ]
    assert family
    counters.web.terminate()
    counters.worker.terminate()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive
