"""Motia's own clients from npm, against one and two web processes, a worker writing too.

``STREAM_INTERLEAVINGS=1000 bin/test --tests tests/acceptance/test_stream_clients.py`` tries more.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from acceptance.stream_apps import Clients, Interleavings, StreamApp
from integration.apps import wait_until

from motia_celery.stores.embedded import EmbeddedServer

#: Half of them against one web process, half against two.
COUNT = int(os.environ.get("STREAM_INTERLEAVINGS", "200"))
#: Clients at a time.
CLIENTS = 100


@pytest.fixture
def app(tmp_path: Path, name_prefix: str, redis_url: str) -> Iterator[StreamApp]:
    with closing(StreamApp(tmp_path / "app", name_prefix, redis_url)) as app:
        yield app


@pytest.fixture
def clients(tmp_path: Path, npm_packages: Path) -> Iterator[Clients]:
    with closing(Clients(tmp_path / "clients", npm_packages)) as clients:
        yield clients


@pytest.mark.timeout(60 + 2 * COUNT)
@pytest.mark.parametrize("processes", [1, 2])
def test_clients_end_with_what_the_store_holds(
    app: StreamApp, clients: Clients, processes: int
) -> None:
    """Whatever order sets, deletions, events and lost connections come in."""
    for _ in range(processes):
        app.start_web()
    app.project.worker()
    count = COUNT // 2
    for seed in range(0, count, CLIENTS):
        run = Interleavings(app, clients, min(CLIENTS, count - seed), seed)
        run.begin()
        for _ in range(12):
            run.step()
        run.wait_until_same()


def test_clients_come_back_to_a_web_process_that_was_killed(
    app: StreamApp, clients: Clients
) -> None:
    """What a worker wrote while nobody listened is there, and what it deleted is gone."""
    first, second = app.start_web(), app.start_web()
    app.project.worker()
    app.ports = [first]
    run = Interleavings(app, clients, 20, 1)
    run.begin()
    run.step()
    run.wait_until_same()
    app.webs[0].kill()
    app.ports = [second]
    for _ in range(5):
        run.write_all("worker")
    app.start_web(first)
    run.wait_until_same()


def test_sockets_stay_while_redis_is_killed_and_comes_back(
    tmp_path: Path, name_prefix: str, private_redis: EmbeddedServer, clients: Clients
) -> None:
    """Web process and worker find it again by themselves, and changes go on."""
    with closing(StreamApp(tmp_path / "app", name_prefix, private_redis.url)) as app:
        app.start_web()
        app.project.worker()
        run = Interleavings(app, clients, 20, 1)
        run.begin()
        run.write_all("web")
        run.wait_until_same()
        clients.do({"do": "mark"})
        os.kill(private_redis.pid, signal.SIGKILL)
        wait_until(lambda: not private_redis.running, "Redis is gone")
        private_redis.start()
        for by in ("web", "worker"):
            run.write_all(by)
        run.wait_until_same()
        assert clients.do({"do": "marked"}) == 20


def test_tokens_and_access(app: StreamApp, clients: Clients) -> None:
    """By subprotocol and by query, authenticate in TypeScript, canAccess in Python."""
    url = f"ws://127.0.0.1:{app.start_web()}"
    secret = {"do": "follow", "stream": "secret"}

    def open_(client: str, kind: str, query: str = "", **options: Any) -> None:
        command = {"do": "open", "client": client, "kind": kind, "url": url + query}
        clients.do(command | options)
        clients.do(
            {**secret, "client": client, "as": f"{client}-mine", "group": "mine"},
            {**secret, "client": client, "as": f"{client}-other", "group": "other", "id": "1"},
        )

    for kind in ("node", "browser"):
        open_(f"{kind}-query", kind, "/?authToken=mine")
        open_(f"{kind}-protocol", kind, protocols=["Authorization", "mine"])
        open_(f"{kind}-nobody", kind)
    open_("node-wrong", "node", "/?authToken=wrong")

    error = {"code": "STREAM_ACCESS_DENIED", "message": "Access denied"}
    denied = [{"type": "error", "data": error}]
    names = [f"{kind}-{how}" for kind in ("node", "browser") for how in ("query", "protocol")]
    nobodies = ["node-nobody", "browser-nobody"]

    def answered() -> bool:
        states = clients.states()
        refused = [f"{name}-other" for name in names]
        refused += [f"{name}-{group}" for name in nobodies for group in ("mine", "other")]
        return all(states[key]["events"] == denied for key in refused)

    wait_until(answered, "those who may not are denied", 60)
    states = clients.states()
    assert all(states[f"{name}-mine"]["events"] == [] for name in names)
    assert states["node-wrong-mine"] == {"state": [], "events": []}
    wait_until(lambda: "no such token" in app.webs[0].output, "the refusal is logged", 60)
    assert "authToken" not in app.webs[0].output


def test_hooks_of_motia_1_decide_and_know_who_is_there(app: StreamApp, clients: Clients) -> None:
    url = f"ws://127.0.0.1:{app.start_web()}"
    for name, group in (("ann", "ann"), ("bob", "ann"), ("eve", "eve")):
        clients.do(
            {"do": "open", "client": name, "kind": "node", "url": f"{url}/?authToken={name}"},
            {"do": "follow", "client": name, "as": name, "stream": "present", "group": group},
        )

    def present() -> set[str]:
        return {key.decode() for key in app.redis.hkeys(f"{app.prefix}:state:present")}

    wait_until(lambda: clients.states()["bob"]["events"], "bob is denied", 60)
    wait_until(lambda: present() == {"ann", "bob", "eve"}, "all have asked", 60)
    clients.do({"do": "leave", "as": "ann"})
    wait_until(lambda: present() == {"bob", "eve"}, "ann has left", 60)
    assert clients.states()["eve"]["events"] == []
    clients.close()
    wait_until(lambda: present() == {"bob"}, "the others are gone; bob never came", 60)
