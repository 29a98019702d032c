"""The app of one process: its settings, its Plan, and what its runs share."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from motia_celery.broker.publisher import Publisher
from motia_celery.broker.relay import Relay, hold
from motia_celery.context import Services
from motia_celery.context.streams import Streams
from motia_celery.discover import discover
from motia_celery.model.event import Event
from motia_celery.model.run import Outcome, Run
from motia_celery.model.step import Language
from motia_celery.plan import Plan, compile_plan
from motia_celery.runtime.frames import DEFAULT_LIMIT_BYTES
from motia_celery.runtime.invoke import Host, Invoker
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.python import PythonHost
from motia_celery.settings import Settings
from motia_celery.stores.delayed import DelayedMessages
from motia_celery.stores.order import Order
from motia_celery.stores.redis import AsyncClient, connect, connect_sync, ping
from motia_celery.stores.state import RedisState

logger = logging.getLogger("motia_celery.plan")


@dataclass(frozen=True, slots=True)
class _Resources:
    """What can not outlive a fork: connections, threads, and what is bound to an event loop."""

    pid: int
    publisher: Publisher
    store: AsyncClient
    waiting: DelayedMessages | None
    order: Order
    invoker: Invoker


def report_problems(plan: Plan) -> None:
    """Logs each problem; `dev`, which shows them itself, sets ``MOTIA_QUIET_PROBLEMS``."""
    if os.environ.get("MOTIA_QUIET_PROBLEMS"):
        return
    for problem in plan.problems:
        logger.log(
            logging.ERROR if problem.severity == "error" else logging.WARNING,
            "%s: %s. %s",
            problem.place or "project",
            problem.what,
            problem.fix,
            extra={"action": "plan.problem"},
        )


class App:
    """The compiled app of this process. Nothing connects before it is first used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.host = PythonHost(settings.project_root, threads=settings.concurrency)
        self.node = NodeHost(
            settings.project_root,
            memory_mb=settings.node_memory_mb,
            # A request carries its body twice, and as JSON.
            limit_bytes=max(DEFAULT_LIMIT_BYTES, 8 * settings.body_limit_bytes),
        )
        project = discover(settings.project_root, self.host, self.node)
        self.plan: Plan = compile_plan(
            prefix=settings.prefix,
            timezone=settings.timezone,
            steps=project.steps,
            streams=project.streams,
            problems=project.problems,
        )
        self._resources: _Resources | None = None
        self._relay: Relay | None = None

    async def invoke(self, run: Run) -> Outcome:
        """Runs a handler once, on the loop that calls this."""
        return await self.resources.invoker.invoke(run)

    async def emit(self, topic: str, data: Any) -> None:
        """Publishes an event that no Step emitted."""
        await self.publisher.emit(Event(topic=topic, data=data))

    @property
    def publisher(self) -> Publisher:
        """This process's publisher."""
        return self.resources.publisher

    @property
    def resources(self) -> _Resources:
        """The connections of this process; a forked child makes its own."""
        if self._resources is None or self._resources.pid != os.getpid():
            self._resources = self._open()
        return self._resources

    @cached_property
    def _step_names(self) -> Mapping[str, Any]:
        return {step.name: step for step in self.plan.steps}

    def _open(self) -> _Resources:
        settings = self.settings
        waiting = None
        if not settings.uses_rabbitmq:
            waiting = DelayedMessages(connect_sync(settings), settings.prefix)
        publisher = Publisher(settings, self.plan.topology, hold(waiting) if waiting else None)
        store = connect(settings)
        services = Services(
            emitter=publisher,
            state=RedisState(store, settings.prefix),
            strict_emits=settings.strict_emits,
            state_wrap=settings.state_wrap,
            streams=Streams(frozenset(stream.name for stream in self.plan.streams)),
        )
        hosts: dict[Language, Host] = {
            "python": self.host,
            "typescript": self.node,
            "javascript": self.node,
        }
        invoker = Invoker(self._step_names, hosts, services, settings.project_root)
        # Leases are fences already, where Redis is the broker.
        order = Order(store, settings.prefix, fenced=settings.uses_rabbitmq)
        return _Resources(os.getpid(), publisher, store, waiting, order, invoker)

    async def ping_store(self) -> None:
        """Returns once Redis has answered."""
        await ping(self.resources.store)

    def start_relay(self) -> None:
        """Publishes delayed messages from this process, where the broker can not delay them."""
        waiting = self.resources.waiting
        if waiting is not None and self._relay is None:
            self._relay = Relay(waiting, self.publisher.publish_blocking)
            self._relay.start()

    def close(self) -> None:
        """Sends what waits, and stops this process's threads."""
        if self._relay is not None:
            self._relay.stop()
        if self._resources is not None and self._resources.pid == os.getpid():
            self._resources.publisher.close()
        self.host.close()
        self.node.close()

    async def aclose(self) -> None:
        """:meth:`close`, and the connections of the event loop."""
        if self._resources is not None:
            await self._resources.store.aclose()
        await self.node.aclose()
        self.close()
