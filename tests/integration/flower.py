"""The real Flower beside a project's worker, asked by its API."""

from __future__ import annotations

from typing import Any

import httpx
from integration.apps import Project, wait_until
from servers import RabbitNode, free_ports

USER, PASSWORD = "ops", "sesame"


class Flower:
    """A running Flower; ``broker`` is the RabbitMQ whose queues it shows."""

    def __init__(self, project: Project, broker: RabbitNode) -> None:
        (port,) = free_ports(1)
        project.start(
            *("-c", _STARTED, f"{USER}:{PASSWORD}", f"{broker.api_url}/"),
            *("flower", "--port", str(port)),
        )
        self.address = f"http://127.0.0.1:{port}"
        self._client = httpx.Client(base_url=self.address, auth=(USER, PASSWORD), timeout=60)
        wait_until(self._answers, "Flower answers", 60)

    def _answers(self) -> bool:
        try:
            return self._client.get("/healthcheck").status_code == 200
        except httpx.TransportError:
            return False

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of an answer."""
        return self._client.get(path, params=query).raise_for_status().json()

    def post(self, path: str, **query: Any) -> Any:
        """The JSON of an answer."""
        return self._client.post(path, params=query).raise_for_status().json()

    def tasks(self, name: str, state: str) -> list[dict[str, Any]]:
        """The tasks of a name and state."""
        return list(self.get("/api/tasks", taskname=name, state=state).values())

    def wait_for(self, name: str, state: str, count: int = 1) -> list[dict[str, Any]]:
        """The tasks of a name and state, once there are ``count``."""
        wait_until(
            lambda: len(self.tasks(name, state)) >= count, f"{count} {state} of {name}", 30, 0.5
        )
        return self.tasks(name, state)

    def close(self) -> None:
        self._client.close()


#: ``motia-celery flower``, with Flower's own variables.
_STARTED = """
import os, sys

password, api, *arguments = sys.argv[1:]
os.environ |= {"FLOWER_BASIC_AUTH": password, "FLOWER_BROKER_API": api}
os.execv(sys.executable, [sys.executable, "-m", "motia_celery", *arguments])
"""
