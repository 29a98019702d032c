"""The flow diagram: Steps, the arrows between them, and where each is drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

import anyio.to_thread
from fastapi import APIRouter

from motia_celery.model.step import Emit, StateTrigger, Step
from motia_celery.plan import Plan
from motia_celery.plan.graph import Edge, edges_between
from motia_celery.workbench.component_files import find_components
from motia_celery.workbench.controls import paused_steps
from motia_celery.workbench.positions import read_positions, write_positions
from motia_celery.workbench.shapes.app import (
    EdgeView,
    EmitView,
    FlowView,
    GraphView,
    Kind,
    NodeView,
    Position,
    Positions,
)
from motia_celery.workbench.shapes.shape import Done
from motia_celery.workbench.sources import From

router = APIRouter(tags=["flows"])

_PositionsByFlow = Mapping[str, Mapping[str, Position]]


@router.get("/flows")
async def get_flows(sources: From) -> GraphView:
    """The whole app as a graph, and which part of it each flow is."""
    paused = await paused_steps(sources)
    root, plan = sources.settings.project_root, sources.plan
    positions = await anyio.to_thread.run_sync(read_positions, root)
    components = await anyio.to_thread.run_sync(find_components, root, plan.steps)
    return graph(plan, positions, paused, components)


@router.put("/positions")
async def put_positions(sources: From, positions: Positions) -> Done:
    """Keeps where nodes are drawn; Steps that are not named stay where they are."""
    files = {step.name: step.file for step in sources.plan.steps}
    by_file = {files[name]: place for name, place in positions.positions.items() if name in files}
    root = sources.settings.project_root
    await anyio.to_thread.run_sync(write_positions, root, positions.flow, by_file)
    return Done()


def graph(
    plan: Plan,
    positions: _PositionsByFlow,
    paused: Collection[str] = (),
    components: Mapping[str, str] = MappingProxyType({}),
) -> GraphView:
    """The Plan as nodes and edges."""
    names = [step.name for step in plan.steps]
    return GraphView(
        nodes=tuple(
            node(step, paused=step.name in paused, component=components.get(step.name))
            for step in plan.steps
        ),
        edges=tuple(_edges(edges_between(plan.steps))),
        flows=(
            _flow(plan, "", names, positions),
            *(_flow(plan, flow.name, flow.steps, positions) for flow in plan.flows),
        ),
    )


def node(step: Step, *, paused: bool = False, component: str | None = None) -> NodeView:
    """A Step as the diagram shows it."""
    return NodeView(
        id=step.id,
        name=step.name,
        kind=kind(step),
        language=step.language,
        file=step.file,
        description=step.description,
        flows=step.flows,
        routes=tuple(f"{trigger.method} {trigger.path}" for trigger in step.http),
        crons=tuple(trigger.expression for trigger in step.crons),
        changes=tuple(trigger.told for _, trigger in step.changes),
        emits=_emits(step.emits),
        subscribes=step.topics,
        virtual_emits=_emits(step.virtual_emits),
        virtual_subscribes=step.virtual_subscribes,
        paused=paused,
        component=component,
    )


def kind(step: Step) -> Kind:
    """What mainly starts the Step."""
    if step.http:
        return "http"
    if step.crons:
        return "cron"
    if step.events or not step.changes:
        return "event" if step.events else "noop"
    return "state" if isinstance(step.changes[0][1], StateTrigger) else "stream"


def _emits(emits: Iterable[Emit]) -> tuple[EmitView, ...]:
    return tuple(EmitView(topic=e.topic, label=e.label, conditional=e.conditional) for e in emits)


def _edges(edges: Iterable[Edge]) -> Iterable[EdgeView]:
    # A Step may emit one topic under several labels: each is an arrow of its own.
    seen: set[str] = set()
    for edge in edges:
        identity = wanted = f"{edge.source}→{edge.target}:{edge.topic}"
        while identity in seen:
            identity = f"{wanted}#{len(seen)}"
        seen.add(identity)
        yield EdgeView(
            id=identity,
            source=edge.source,
            target=edge.target,
            topic=edge.topic,
            label=edge.label,
            virtual=edge.virtual,
            conditional=edge.conditional,
        )


def _flow(plan: Plan, name: str, steps: Iterable[str], positions: _PositionsByFlow) -> FlowView:
    members = tuple(steps)
    files = {step.file: step.name for step in plan.steps if step.name in set(members)}
    held = positions.get(name, {})
    placed = {files[file]: place for file, place in held.items() if file in files}
    return FlowView(name=name, steps=members, positions=placed)
