"""What can not outlive a fork: a process opens its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from motia_celery.broker.changes import ChangeEvents
from motia_celery.broker.emitter import Emitter
from motia_celery.broker.gate import Gate
from motia_celery.broker.once import Once
from motia_celery.broker.publisher import Publisher
from motia_celery.broker.relay import hold
from motia_celery.broker.task_sender import TaskSender
from motia_celery.context import Services
from motia_celery.context.traced import traced
from motia_celery.observe.recorder import Recorder
from motia_celery.observe.recording import Recordings
from motia_celery.plan import Plan
from motia_celery.plan.inputs import Inputs
from motia_celery.process import process_id
from motia_celery.runtime.invoke import Invoker
from motia_celery.settings import Settings
from motia_celery.stores.delayed import DelayedMessages
from motia_celery.stores.direct_state import DirectState
from motia_celery.stores.emitted import EmittedKeys
from motia_celery.stores.finished import FinishedRuns
from motia_celery.stores.limits import Limits
from motia_celery.stores.order import Order
from motia_celery.stores.outbox import Outbox
from motia_celery.stores.redis import AsyncClient, connect, connect_sync
from motia_celery.stores.state import RedisState
from motia_celery.stores.streams import RedisStreams

MakeInvoker = Callable[[Services, Inputs, Recordings], Invoker]


@dataclass(frozen=True, slots=True)
class Resources:
    """The connections and threads of one process, and what is bound to its event loop."""

    pid: int
    publisher: Publisher
    store: AsyncClient
    state: RedisState
    direct_state: DirectState | None
    streams: RedisStreams
    waiting: DelayedMessages | None
    order: Order
    invoker: Invoker
    gate: Gate
    once: Once
    services: Services
    recorder: Recorder

    async def aclose(self) -> None:
        """Ends the connections of the event loop."""
        if self.direct_state is not None:
            self.direct_state.close()
        await self.store.aclose()


def open_resources(
    settings: Settings, plan: Plan, changes: ChangeEvents | None, make_invoker: MakeInvoker
) -> Resources:
    """Those of this process; nothing connects before it is first used."""
    waiting = None
    if not settings.uses_rabbitmq:
        waiting = DelayedMessages(connect_sync(settings), settings.prefix)
    publisher = Publisher(settings, plan.topology, hold(waiting) if waiting else None)
    store = connect(settings)
    keys = EmittedKeys(store, settings.prefix, settings.emit_dedupe_seconds)
    state = RedisState(store, settings.prefix)
    direct = DirectState(state, store) if settings.direct else None
    outbox = Outbox(store, settings.prefix, state)
    inputs = Inputs(plan.steps, settings.event_schema)
    streams = RedisStreams(store, settings.prefix)
    emitter = Emitter(settings, publisher, keys, outbox, inputs, plan.topology)
    services = Services(
        emitter=emitter,
        begin=emitter.begin,
        state=state,
        begin_state=direct,
        strict_emits=settings.strict_emits,
        state_wrap=settings.state_wrap,
        streams=streams,
        stream_names=frozenset(stream.name for stream in plan.streams),
        tasks=TaskSender(settings, publisher),
        changes=changes,
    )
    recorder = Recorder(settings)
    invoker = make_invoker(traced(services), inputs, recorder)
    gate = Gate(Limits(store, settings.prefix))
    once = Once(FinishedRuns(store, settings.prefix, settings.once_seconds))
    outside = changes.made_by() if changes else None
    # Leases are fences already, where Redis is the broker.
    order = Order(store, settings.prefix, fenced=settings.uses_rabbitmq)
    return Resources(
        process_id(),
        publisher,
        store,
        state.telling(outside) if outside else state,
        direct,
        streams.telling(outside) if outside else streams,
        waiting,
        order,
        invoker,
        gate,
        once,
        services,
        recorder,
    )
