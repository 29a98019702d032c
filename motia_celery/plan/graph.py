"""The flow graph: which Step's emits start which Step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from motia_celery.model.step import Emit, Step
from motia_celery.model.topic import matches


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
        for name in dict.fromkeys(step.flows):
            members.setdefault(name, []).append(step)
    return tuple(
        Flow(name, tuple(step.name for step in group), tuple(edges_between(group)))
        for name, group in members.items()
    )


def edges_between(steps: Iterable[Step]) -> Iterator[Edge]:
    """Every arrow between the Steps."""
    group = tuple(steps)
    for source in group:
        for emit in source.emits:
            yield from _edges_of(source, emit, group, virtual=False)
        for emit in source.virtual_emits:
            yield from _edges_of(source, emit, group, virtual=True)


def _edges_of(
    source: Step, emit: Emit, group: tuple[Step, ...], *, virtual: bool
) -> Iterator[Edge]:
    for target in group:
        real = any(matches(pattern, emit.topic) for pattern in target.topics)
        drawn = any(matches(pattern, emit.topic) for pattern in target.virtual_subscribes)
        if real or drawn:
            yield Edge(
                source=source.name,
                target=target.name,
                topic=emit.topic,
                label=emit.label,
                virtual=virtual or not real,
                conditional=emit.conditional,
            )
