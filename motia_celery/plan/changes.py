"""Who hears changes of state and streams: the state and stream triggers of all Steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from motia_celery.model.step import StateTrigger, Step, StreamTrigger
from motia_celery.plan.topology import QueuePlan, Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearer:
    """A trigger that hears changes: which of a Step's, and the queue where its events go."""

    queue: QueuePlan
    index: int
    trigger: StateTrigger | StreamTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Who hears which change; false where nobody hears any."""

    state: tuple[Hearer, ...] = ()
    streams: dict[str, tuple[Hearer, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.state or self.streams)

    def of_stream(self, stream: str, group: str) -> tuple[Hearer, ...]:
        """Who hears changes in this group of the stream, of one item or of all."""
        return tuple(
            hearer
            for hearer in self.streams.get(stream, ())
            if isinstance(hearer.trigger, StreamTrigger) and hearer.trigger.group in (None, group)
        )


def compile_changes(steps: Iterable[Step], topology: Topology) -> Changes:
    """Who hears which change, of these Steps."""
    hearers = tuple(_hearers(steps, topology))
    streams: dict[str, tuple[Hearer, ...]] = {}
    for hearer in hearers:
        if isinstance(hearer.trigger, StreamTrigger):
            name = hearer.trigger.stream
            streams[name] = (*streams.get(name, ()), hearer)
    state = tuple(hearer for hearer in hearers if isinstance(hearer.trigger, StateTrigger))
    return Changes(state=state, streams=streams)


def _hearers(steps: Iterable[Step], topology: Topology) -> Iterator[Hearer]:
    for step in steps:
        for index, trigger in step.changes:
            yield Hearer(queue=topology.by_step[step.name], index=index, trigger=trigger)
