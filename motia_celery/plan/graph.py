"""The flow graph: which Step's emits start which Step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from motia_celery.model.project import PLUGIN_FLOW
from motia_celery.model.step import Emit, Step
from motia_celery.model.topic import Subscriptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An arrow from one Step to another; a virtual one is only drawn."""

    source: str
    target: str
    topic: str
    label: str = ""
    virtual: bool = False
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """A named group of Steps and the arrows between them."""

    name: str
    steps: tuple[str, ...]
    edges: tuple[Edge, ...]


def compile_flows(steps: Iterable[Step]) -> tuple[Flow, ...]:
    """One flow for each name that a Step's ``flows`` mentions, in order of mention."""
    members: dict[str, list[Step]] = {}
    for step in steps:
        for name in dict.fromkeys(flow for flow in step.flows if flow != PLUGIN_FLOW):
            members.setdefault(name, []).append(step)
    return tuple(
        Flow(name, tuple(step.name for step in group), tuple(edges_between(group)))
        for name, group in members.items()
    )


def edges_between(steps: Iterable[Step]) -> Iterator[Edge]:
    """Every arrow between the Steps."""
    group = tuple(steps)
    hearing = _Hearing(
        real=Subscriptions((p, n) for n, step in enumerate(group) for p in step.topics),
        drawn=Subscriptions(
            (p, n) for n, step in enumerate(group) for p in step.virtual_subscribes
        ),
    )
    for source in group:
        for emit in source.emits:
            yield from _edges_of(source, emit, group, hearing, virtual=False)
        for emit in source.virtual_emits:
            yield from _edges_of(source, emit, group, hearing, virtual=True)


@dataclass(frozen=True, slots=True)
class _Hearing:
    """Who hears a topic, and who is only drawn to, by their places among the Steps."""

    real: Subscriptions[int]
    drawn: Subscriptions[int]


def _edges_of(
    source: Step, emit: Emit, group: tuple[Step, ...], hearing: _Hearing, *, virtual: bool
) -> Iterator[Edge]:
    real = hearing.real.of(emit.topic)
    for number in sorted(real | hearing.drawn.of(emit.topic)):
        yield Edge(
            source=source.name,
            target=group[number].name,
            topic=emit.topic,
            label=emit.label,
            virtual=virtual or number not in real,
            conditional=emit.conditional,
        )
