"""Motia's own client package, from npm, with an app in its real process: section 6.3."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from compat.rules import rule
from integration.apps import Project
from servers import free_port

from motia_celery.runtime.node import find_node


class Follower:
    """The project's client, and what it has told."""

    def __init__(self, project: Path, packages: Path, url: str) -> None:
        (project / "client" / "node_modules").symlink_to(packages)
        command = [str(find_node()), "client/follow.mjs", url, "ann"]
        self._process = subprocess.Popen(
            command, cwd=project, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.told: list[tuple[str, Any]] = []

    def until(self, kind: str, data: Any) -> None:
        """Reads on until it has told this."""
        assert self._process.stdout
        while (kind, data) not in self.told:
            line = self._process.stdout.readline()
            assert line, f"the client ended; it told {self.told}"
            self.told.append(tuple(json.loads(line)))

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def address(project: Path, name_prefix: str, redis_url: str) -> Iterator[str]:
    """Where the project's web process answers."""
    with closing(Project(project, name_prefix, redis_url, None)) as running:
        port = free_port()
        running.command("web", port=port, host="127.0.0.1").wait_for_line("web.ready")
        yield f"127.0.0.1:{port}"


@rule("6.3", "`@motiadev/stream-client-node` follows groups and items as it is, with `protocols`")
@rule("6.3", "Its change listeners get the group, sorted by `sortKey`, and the item")
@rule("6.3", "`onEvent` gets what a handler's `send` sends, and `error` where access is denied")
def test_motias_clients_work_as_they_are(project: Path, npm_packages: Path, address: str) -> None:
    one, two = {"id": "m1", "text": "a", "rank": 2}, {"id": "m2", "text": "b", "rank": 1}
    with closing(Follower(project, npm_packages, f"ws://{address}")) as client:
        client.until("room", [])
        client.until("error", {"code": "STREAM_ACCESS_DENIED", "message": "Access denied"})
        for item in (one, two):
            httpx.put(f"http://{address}/rooms/lobby/{item['id']}", json=item, timeout=60)
        client.until("room", [two, one])
        client.until("message", one)
        client.until("typing", {"id": "m2"})
        httpx.put(f"http://{address}/rooms/lobby/m1", json={**one, "text": "c"}, timeout=60)
        client.until("message", {**one, "text": "c"})
        httpx.delete(f"http://{address}/rooms/lobby/m1", timeout=60)
        client.until("room", [two])
        client.until("message", None)
