"""A Step: a file with a config and a handler, and the triggers that start it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from motia_celery.model.changed import change_trigger
from motia_celery.model.retry import RetryPolicy
from motia_celery.model.run import TriggerType
from motia_celery.model.topic import matches

Language = Literal["python", "typescript", "javascript", "ruby"]
JsonSchema = Mapping[str, Any]

#: Motia's default.
DEFAULT_VISIBILITY_SECONDS = 900

#: How many groups of a fifo Step run at once.
DEFAULT_PARTITIONS = 8

#: What becomes of an event that does not fit a Step's ``input``: it runs, and a warning is logged;
#: it becomes a dead letter; or its emit fails.
#: What a stream of Motia 1.0 has called when a client joins it, and when it leaves.
Hook = Literal["onJoin", "onLeave"]
SchemaPolicy = Literal["warn", "reject", "refuse"]

#: The longest wait of an event, 30 days.
LONGEST_DELAY_SECONDS = 30 * 86400

_UNIT_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

#: Motia derives a Step's id from its absolute path in this namespace; projects keep them.
STEP_ID_NAMESPACE = uuid.UUID("7f1c3ff2-9b00-4d0a-bdd7-efb8bca49d4f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """A topic that a Step may emit; label and conditional only draw the graph."""

    topic: str
    label: str = ""
    conditional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryParam:
    """A documented query parameter."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTrigger:
    """Starts the Step by an HTTP request; ``path`` is written as in Express 4."""

    method: str
    path: str
    body_schema: JsonSchema | None = None
    response_schema: Mapping[str, JsonSchema] = field(default_factory=dict)
    query_params: tuple[QueryParam, ...] = ()
    validate_body: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most ``count`` runs in any ``seconds``."""

    count: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """``100/m`` as Celery writes it: runs in a second, minute, hour or day.

        Raises:
            ValueError: it is none.
        """
        count, _, unit = text.partition("/")
        if not count.isdecimal() or int(count) == 0 or (unit or "s") not in _UNIT_SECONDS:
            raise ValueError("expected a rate such as 10/s, 100/m, 1000/h or 5000/d")
        return cls(count=int(count), seconds=_UNIT_SECONDS[unit or "s"])


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """How an event Step's queue behaves (``infrastructure.queue``)."""

    type: Literal["standard", "fifo"] = "standard"
    visibility_timeout_seconds: float = DEFAULT_VISIBILITY_SECONDS
    delay_seconds: float = 0
    concurrency: int | None = None
    concurrency_key: str | None = None
    rate: Rate | None = None
    priority: int | None = None
    partitions: int = DEFAULT_PARTITIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTrigger:
    """Starts the Step by an event; ``topics`` may hold ``*`` and ``#`` patterns."""

    topics: tuple[str, ...]
    input_schema: JsonSchema | None = None
    queue: QueueOptions = field(default_factory=QueueOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class CronTrigger:
    """Starts the Step by the clock; ``timezone`` is an IANA name, None for the app's setting."""

    expression: str
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTrigger:
    """Starts the Step by every change of state."""

    @property
    def told(self) -> str:
        """What it hears changes of, in words."""
        return "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTrigger:
    """Starts the Step by changes of a stream: of one group or one item, where they are named."""

    stream: str
    group: str | None = None
    item: str | None = None

    @property
    def told(self) -> str:
        """What it hears changes of, in words."""
        places = (f"stream {self.stream}", self.group, self.item)
        return " / ".join(place for place in places if place is not None)


Trigger = HttpTrigger | EventTrigger | CronTrigger | StateTrigger | StreamTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One Step of the app.

    ``file`` is the path relative to the project's root. A Step without triggers is a noop:
    it is drawn, and never runs. ``once``: a redelivery of a run that has ended does nothing.
    ``event_schema``: what an event that does not fit becomes, None where the setting decides.
    ``isolated``: each run gets a process of its own; None leaves it to the app's setting.
    ``lists_triggers``: it is of Motia 1.0's style, which has no list of topics that it may emit and
    no others, results of requests without a status, and values of state as they are.
    """

    name: str
    file: str
    language: Language
    triggers: tuple[Trigger, ...] = ()
    emits: tuple[Emit, ...] = ()
    description: str = ""
    flows: tuple[str, ...] = ()
    virtual_emits: tuple[Emit, ...] = ()
    virtual_subscribes: tuple[str, ...] = ()
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeout_seconds: float | None = None
    isolated: bool | None = None
    once: bool = False
    event_schema: SchemaPolicy | None = None
    lists_triggers: bool = False
    id: str = ""

    @property
    def http(self) -> tuple[HttpTrigger, ...]:
        """The http triggers."""
        return tuple(t for t in self.triggers if isinstance(t, HttpTrigger))

    @property
    def events(self) -> tuple[EventTrigger, ...]:
        """The event triggers."""
        return tuple(t for t in self.triggers if isinstance(t, EventTrigger))

    @property
    def crons(self) -> tuple[CronTrigger, ...]:
        """The cron triggers."""
        return tuple(t for t in self.triggers if isinstance(t, CronTrigger))

    @property
    def changes(self) -> tuple[tuple[int, StateTrigger | StreamTrigger], ...]:
        """The state and stream triggers with their indexes."""
        return tuple(
            (index, trigger)
            for index, trigger in enumerate(self.triggers)
            if isinstance(trigger, StateTrigger | StreamTrigger)
        )

    @property
    def is_queued(self) -> bool:
        """Whether it has a queue: something other than requests starts it."""
        return bool(self.events or self.crons or self.changes)

    @property
    def queue(self) -> QueueOptions:
        """How its queue behaves."""
        return self.events[0].queue if self.events else QueueOptions()

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic pattern that starts the Step."""
        return tuple(dict.fromkeys(topic for t in self.events for topic in t.topics))

    def started_by(self, topic: str) -> TriggerType:
        """What kind of run an event of this topic starts; the clock's has none."""
        if not topic:
            return "cron" if self.crons else "event"
        change = change_trigger(topic)
        if change and any(isinstance(trigger, _KINDS[change[0]]) for trigger in self.triggers):
            return change[0]
        return "event"

    def trigger_index(self, kind: TriggerType, topic: str | None = None) -> int | None:
        """Which trigger starts such a run: the first of its kind, of events one that hears it, of
        changes and ticks the one that their topic names.
        """
        wanted, change = _KINDS[kind], change_trigger(topic)
        named = change[1] if change and change[0] == kind else -1
        if 0 <= named < len(self.triggers) and isinstance(self.triggers[named], wanted):
            return named
        fitting = [i for i, trigger in enumerate(self.triggers) if isinstance(trigger, wanted)]
        heard = (i for i in fitting if topic and _hears(self.triggers[i], topic))
        return next(heard, fitting[0] if fitting else None)

    def may_emit(self, topic: str) -> bool:
        """Whether ``emits`` allows the topic; an empty list allows every topic, as in Motia."""
        if not self.emits:
            return True
        for emit in self.emits:  # noqa: SIM110 - of one or two a generator takes longer
            if emit.topic == topic:
                return True
        return False


_KINDS: dict[TriggerType, type] = {
    "http": HttpTrigger,
    "event": EventTrigger,
    "cron": CronTrigger,
    "state": StateTrigger,
    "stream": StreamTrigger,
}


def _hears(trigger: Trigger, topic: str) -> bool:
    return isinstance(trigger, EventTrigger) and any(matches(p, topic) for p in trigger.topics)


def step_id(absolute_path: str) -> str:
    """The Step's id, as Motia derives it."""
    return str(uuid.uuid5(STEP_ID_NAMESPACE, absolute_path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A live stream declared by a stream file. ``hooks`` are those of Motia 1.0 that it has."""

    name: str
    file: str
    language: Language
    schema: JsonSchema | None = None
    has_access_rule: bool = False
    hooks: tuple[Hook, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAuth:
    """The ``streamAuth`` of the project's config file.

    One that is not usable keeps everyone out: a fault in the file must not open its streams.
    ``authenticateStream`` of Motia 1.0 takes a context.
    """

    file: str
    language: Language
    is_usable: bool = True
    takes_context: bool = False
