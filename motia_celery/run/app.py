"""The app of one process: its settings, its Plan, and what its runs share."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

from motia_celery.broker.changes import ChangeEvents
from motia_celery.broker.control import ControlWatch
from motia_celery.broker.depths import DepthReader
from motia_celery.broker.gate import Gate
from motia_celery.broker.once import Once
from motia_celery.broker.outbox_relay import OutboxRelay
from motia_celery.broker.publisher import Publisher
from motia_celery.broker.relay import Relay
from motia_celery.context import Context, Services
from motia_celery.discover import discover
from motia_celery.errors import FrameworkError
from motia_celery.model.control import Controls
from motia_celery.model.event import Event
from motia_celery.model.problem import Problem
from motia_celery.model.run import Outcome, Run
from motia_celery.model.step import Language, Step, Stream, StreamAuth
from motia_celery.model.trace import Trace
from motia_celery.observe import tracing
from motia_celery.observe.carrier import Carrier
from motia_celery.observe.metrics import meter
from motia_celery.observe.otel_metrics import Export
from motia_celery.observe.recorder import Recorder
from motia_celery.observe.recording import Recordings
from motia_celery.observe.spans import sending
from motia_celery.plan import Plan, compile_plan
from motia_celery.plan.checks import idle_priorities
from motia_celery.plan.inputs import Inputs
from motia_celery.process import process_id
from motia_celery.run.resources import Resources, open_resources
from motia_celery.runtime.access import Access
from motia_celery.runtime.authentication import Authentication
from motia_celery.runtime.frames import DEFAULT_LIMIT_BYTES
from motia_celery.runtime.invoke import Invoker
from motia_celery.runtime.isolated import Command, IsolatedHost
from motia_celery.runtime.middleware import AppMiddleware
from motia_celery.runtime.node import NodeHost
from motia_celery.runtime.process import HostCommand
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.pythonhost import python_command
from motia_celery.runtime.remotehost import RemoteHost
from motia_celery.runtime.ruby import RubyHost
from motia_celery.runtime.source import Definition
from motia_celery.settings import Settings
from motia_celery.stores.controls import ControlStore
from motia_celery.stores.metrics import MetricStore
from motia_celery.stores.outbox import OutboxEntries
from motia_celery.stores.redis import (
    SyncClient,
    connect_briefly,
    connect_sync,
    ping,
)
from motia_celery.stores.state import RedisState
from motia_celery.stores.streams import RedisStreams
from motia_celery.workbench.component_files import component_problems

logger = logging.getLogger("motia_celery.plan")

#: What files of other languages define, by their path in the project.
Told = Mapping[str, Definition]


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


def _idle_priorities(settings: Settings, steps: Iterable[Step]) -> Iterable[Problem]:
    if not settings.uses_rabbitmq:
        return idle_priorities(steps, "Redis is the broker, and hands out what a worker can begin")
    if settings.pool != "async":
        return idle_priorities(steps, f"the pool {settings.pool} begins runs as they come")
    return ()


class App:
    """The compiled app of this process. Nothing connects before it is first used."""

    def __init__(self, settings: Settings, told: Told = MappingProxyType({})) -> None:
        """``told``: what another process has loaded of files that have not changed since."""
        self.settings = settings
        #: What isolated runs get; a Step file that is loaded below may change the process's own.
        self._environment = dict(os.environ)
        self.host = PythonHost(settings.project_root, threads=settings.concurrency)
        self.node = NodeHost(
            settings.project_root,
            memory_mb=settings.node_memory_mb,
            limit_bytes=self._limit_bytes,
        )
        self.ruby = RubyHost(settings.project_root, limit_bytes=self._limit_bytes)
        self.remote_hosts: tuple[RemoteHost, ...] = (self.node, self.ruby)
        for host in self.remote_hosts:
            host.told = told
        self.isolated = self._isolated_host()
        project = discover(settings.project_root, self.host, *self.remote_hosts)
        self.plan: Plan = compile_plan(
            prefix=settings.prefix,
            timezone=settings.timezone,
            steps=project.steps,
            streams=project.streams,
            problems=(
                *project.problems,
                *_idle_priorities(settings, project.steps),
                *component_problems(settings.project_root, project.steps),
            ),
        )
        self.access = Access(self.plan.streams, self._hosts, contexts=self._hook_context)
        self.authentication = Authentication(
            project.stream_auth, self._hosts, contexts=self._hook_context
        )
        self._middleware = AppMiddleware(project.middleware, self._hosts)
        self._resources: Resources | None = None
        self._relay: Relay | None = None
        self._outbox_relay: OutboxRelay | None = None
        self._watch: ControlWatch | None = None
        self._said: tuple[int, SyncClient] | None = None
        self.carrier = Carrier(meter, self.open_metrics, self._export_metrics)
        # Celery's main thread and the handlers' loop both come here first.
        self._opening = threading.RLock()

    @property
    def told(self) -> Told:
        """What the files of other languages define."""
        return {file: told for host in self.remote_hosts for file, told in host.told.items()}

    async def warm(self, steps: Iterable[str]) -> None:
        """Has Steps of other languages loaded before their first run, as those in Python are."""
        names = tuple(steps)
        for host in self.remote_hosts:
            with suppress(FrameworkError):  # it was told when the files were read
                await host.warm(names)

    def _hook_context(self, run: Run, place: Stream | StreamAuth) -> Context:
        """What a hook of a stream, or of all, is given; it may emit to every topic."""
        step = Step(name=run.step, file=place.file, language=place.language, lists_triggers=True)
        return Context(run, step, self.services)

    async def invoke(self, run: Run) -> Outcome:
        """Runs a handler once, on the loop that calls this."""
        self.carrier.ensure()
        with meter.timed(run) as timed:
            timed.outcome = await self.resources.invoker.invoke(run)
        return timed.outcome

    async def emit(
        self, topic: str, data: Any, headers: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """Publishes an event that no Step emitted, in the trace that a request's headers name."""
        parent = Trace.read(headers)
        event = Event(topic=topic, data=data, trace=parent or Trace.begin(headers))
        with sending(event, parent) as placed:
            await self.publisher.emit(placed)

    @property
    def services(self) -> Services:
        """What the contexts of this process share."""
        return self.resources.services

    @property
    def publisher(self) -> Publisher:
        """This process's publisher."""
        return self.resources.publisher

    @property
    def state(self) -> RedisState:
        """The state."""
        return self.resources.state

    @property
    def streams(self) -> RedisStreams:
        """The streams' items and changes."""
        return self.resources.streams

    @property
    def gate(self) -> Gate:
        """The gate of this process's event runs; it hears of what is called off."""
        if self._watch is None or self._watch.pid != process_id():
            with self._opening:
                if self._watch is None or self._watch.pid != process_id():
                    self.watch_controls()
        return self.resources.gate

    @property
    def once(self) -> Once:
        """Which runs of this process's need not be done again."""
        return self.resources.once

    @property
    def recorder(self) -> Recorder:
        """This process's recorder of runs."""
        return self.resources.recorder

    def flush_records(self) -> None:
        """Writes the records that wait, when this process is about to end."""
        if self._resources is not None and self._resources.pid == process_id():
            self._resources.recorder.close()

    def watch_controls(self, also: Callable[[Controls], None] | None = None) -> None:
        """Keeps the gate, and ``also``, at the controls in force, from a thread."""
        gate = self.resources.gate

        def changed(controls: Controls) -> None:
            gate.apply(controls)
            if also is not None:
                also(controls)

        with self._opening:
            self._stop_watch()
            self._watch = ControlWatch(self.controls, changed)
            self._watch.start()

    @property
    def controls(self) -> ControlStore:
        """The controls, for one thread."""
        return ControlStore(connect_sync(self.settings), self.settings.prefix)

    def open_metrics(self) -> MetricStore:
        """The totals of all processes."""
        return MetricStore(self.brief_client, self.settings.prefix)

    @cached_property
    def depths(self) -> DepthReader:
        """The queues, for all threads of a web process."""
        return DepthReader(self.settings, self.plan.topology, self.brief_client)

    @property
    def brief_client(self) -> SyncClient:
        """One connection to Redis, on which a process's threads say and ask short things."""
        with self._opening:
            if self._said is None or self._said[0] != process_id():
                self._said = (process_id(), connect_briefly(self.settings, connections=1))
            return self._said[1]

    def _export_metrics(self) -> Export:
        return Export(meter, os.environ, self.settings.project_root.name or "motia-celery")

    def _stop_watch(self) -> None:
        if self._watch is not None and self._watch.pid == process_id():
            self._watch.stop()

    @property
    def resources(self) -> Resources:
        """The connections of this process; a forked child makes its own."""
        resources = self._resources
        if resources is not None and resources.pid == process_id():
            return resources
        with self._opening:
            if self._resources is None or self._resources.pid != process_id():
                self._resources = open_resources(
                    self.settings, self.plan, self.change_events(), self.invoker
                )
            return self._resources

    @property
    def _limit_bytes(self) -> int:
        # A request carries its body twice, and as JSON.
        return max(DEFAULT_LIMIT_BYTES, 8 * self.settings.body_limit_bytes)

    def _isolated_host(self) -> IsolatedHost:
        settings = self.settings
        commands: dict[Language, Command] = {"python": self._python_command}
        for host in self.remote_hosts:
            commands |= dict.fromkeys(host.languages, partial(self._remote_command, host))
        return IsolatedHost(
            settings.project_root,
            commands,
            processes=settings.isolated_limit,
            everywhere=settings.isolated_steps,
        )

    def _python_command(self) -> HostCommand:
        return python_command(
            self.settings.project_root,
            state_wrap=self.settings.state_wrap,
            stream_names=(stream.name for stream in self.plan.streams),
            limit_bytes=self._limit_bytes,
            environment=self._environment,
        )

    def _remote_command(self, host: RemoteHost) -> HostCommand:
        return replace(host.command(), environment=self._environment)

    @cached_property
    def _step_names(self) -> Mapping[str, Any]:
        return {step.name: step for step in self.plan.steps}

    @property
    def _hosts(self) -> dict[Language, PythonHost | RemoteHost]:
        remote = {language: host for host in self.remote_hosts for language in host.languages}
        return {"python": self.host, **remote}

    def invoker(self, services: Services, inputs: Inputs, recordings: Recordings) -> Invoker:
        """What calls the app's handlers, with contexts that use these services."""
        return Invoker(
            self._step_names,
            {**self._hosts},
            services,
            self.settings.project_root,
            inputs=inputs,
            isolated=self.isolated,
            recorder=recordings,
            middleware=self._middleware,
        )

    def change_events(self) -> ChangeEvents | None:
        """What makes the events of changes; None where no trigger hears any."""
        return ChangeEvents(self.settings, self.plan) if self.plan.changes else None

    def trace_as(self, role: str) -> None:
        """Names the process in its spans; they begin later, where a variable asks for them."""
        rabbitmq = self.settings.uses_rabbitmq
        tracing.configure(role, self.plan.names, uses_rabbitmq=rabbitmq)

    async def ping_store(self) -> None:
        """Returns once Redis has answered."""
        await ping(self.resources.store)

    def start_outbox(self) -> None:
        """Sends from this process what is in the outbox, if no other process does."""
        if self._outbox_relay is None:
            entries = OutboxEntries(connect_sync(self.settings), self.settings.prefix)
            self._outbox_relay = OutboxRelay(entries, self.publisher.event_soon)
            self._outbox_relay.start()

    def start_relay(self) -> None:
        """Publishes delayed messages from this process, where the broker can not delay them."""
        waiting = self.resources.waiting
        if waiting is not None and self._relay is None:
            self._relay = Relay(waiting, self.publisher.publish_due)
            self._relay.start()

    def close(self) -> None:
        """Sends what waits, and stops this process's threads."""
        for relay in (self._relay, self._outbox_relay):
            if relay is not None:
                relay.stop()
        self._stop_watch()
        if self._resources is not None and self._resources.pid == process_id():
            self._resources.publisher.close()
        self.carrier.close()
        self.flush_records()
        self.host.close()
        for host in self.remote_hosts:
            host.close()
        self.isolated.close()
        tracing.stop()

    async def aclose(self) -> None:
        """:meth:`close`, and the connections of the event loop."""
        await self.access.aclose()
        if self._resources is not None:
            await self._resources.aclose()
        for host in self.remote_hosts:
            await host.aclose()
        await self.isolated.aclose()
        self.close()
