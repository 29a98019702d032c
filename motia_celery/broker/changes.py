"""The events of changes: what is put into the outbox for each trigger that hears one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import orjson

from motia_celery.broker import wire
from motia_celery.broker.publisher import delay_mark
from motia_celery.broker.relay import packed
from motia_celery.broker.wire import Message
from motia_celery.errors import ChangeLoopError
from motia_celery.model.changed import ChangeKind, change_topic
from motia_celery.model.event import Event, derived_id
from motia_celery.model.run import Run
from motia_celery.model.step import StreamTrigger
from motia_celery.model.told import Target, Told
from motia_celery.model.trace import Trace
from motia_celery.plan import Plan
from motia_celery.plan.changes import Hearer
from motia_celery.settings import Settings
from motia_celery.stores.outbox import outbox_name

#: So many changes may start each other, one after the other.
DEEPEST_CHANGE = 100


class ChangeEvents:
    """Makes the events of the changes that this process makes. False where nobody hears any."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self._settings = settings
        self._exchange = plan.names.steps if settings.uses_rabbitmq else ""
        self.changes = plan.changes

    def __bool__(self) -> bool:
        return bool(self.changes)

    def made_by(self, run: Run | None = None) -> ChangeTeller:
        """What tells of changes that the run makes; without one, of those made from outside."""
        return ChangeTeller(self, run)

    def told(
        self, kind: ChangeKind, hearers: Iterable[Hearer], group: str, run: Run | None, stream: str
    ) -> Told | None:
        """What these are told of a change; None where there is nobody.

        Raises:
            ChangeLoopError: changes have started each other for too long.
        """
        hearers = tuple(hearers)
        if not hearers:
            return None
        if run is not None and run.depth >= DEEPEST_CHANGE:
            raise _too_deep(run)
        trace = run.trace if run else Trace.start()
        targets = [self._target(kind, hearer, group, run, trace) for hearer in hearers]
        limit = self._settings.event_limit_bytes
        return Told(outbox_name(self._settings.prefix), targets, limit, stream)

    def _target(
        self, kind: ChangeKind, hearer: Hearer, group: str, run: Run | None, trace: Trace
    ) -> Target:
        queue = hearer.queue
        event = Event(
            topic=change_topic(kind, hearer.index),
            data=None,
            trace=trace,
            root_id=(run.root_id or run.id) if run else None,
            parent_id=run.id if run else None,
            group=str(group) if queue.partitions else None,
            depth=run.depth + 1 if run else 1,
        )
        message = Message(
            exchange=self._exchange,
            routing_key=queue.name,
            body=b"",
            headers={**wire.event_headers(event), **wire.queued_at(), **delay_mark(queue)},
            properties=wire.event_properties(event),
        )
        return Target(
            emitter=f"{queue.name}:{hearer.index}:{group}",
            payload=orjson.dumps({"due": 0, "message": orjson.Fragment(packed(message))}).decode(),
            by_key=not queue.partitions,
            item=hearer.trigger.item if isinstance(hearer.trigger, StreamTrigger) else None,
        )


@dataclass(frozen=True, slots=True)
class ChangeTeller:
    """Tells of the changes that one run makes, or that are made from outside of any."""

    events: ChangeEvents
    run: Run | None

    def of_state(self, group: str) -> Told | None:
        """What is told of a change in the group; None where nobody hears it."""
        return self.events.told("state", self.events.changes.state, group, self.run, "")

    def of_stream(self, stream: str, group: str) -> Told | None:
        """What is told of a change in the stream's group; None where nobody hears it."""
        hearers = self.events.changes.of_stream(stream, str(group))
        return self.events.told("stream", hearers, group, self.run, stream)


def change_message(message: Message, body: bytes, entry_id: str) -> Message:
    """The message of a change, whole. Each entry of the outbox is an event of its own."""
    properties = dict(message.properties)
    event_id = derived_id("changed", message.routing_key, entry_id)
    if properties.get("correlation_id") == properties.get("message_id"):
        properties["correlation_id"] = event_id
    return replace(message, body=body, properties={**properties, "message_id": event_id})


def _too_deep(run: Run) -> ChangeLoopError:
    return ChangeLoopError(
        f"{run.depth} changes have started each other, one after the other, up to this run.",
        run.step,
        "Let the condition of a state or stream trigger say when it is enough.",
    )


def change_event(target: Target, body: bytes) -> tuple[Event, str]:
    """The event of a change, for one that hears it, and the queue where it goes."""
    message = orjson.loads(target.payload)["message"]
    headers = message["headers"]
    event = Event(
        topic=headers[wire.TOPIC],
        data=orjson.loads(body),
        trace=Trace.read(headers) or Trace.start(),
        root_id=headers.get(wire.ROOT),
        parent_id=headers.get(wire.PARENT),
        group=headers.get(wire.GROUP),
        depth=wire.depth_of(headers),
    )
    return event, message["routing_key"]
