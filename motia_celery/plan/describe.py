"""The Plan as data, and as a Mermaid graph."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from motia_celery.model.step import StateTrigger, StreamTrigger
from motia_celery.plan.graph import Edge, edges_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from motia_celery.model.step import Step
    from motia_celery.plan import Plan


def describe(plan: Plan) -> dict[str, Any]:
    """Everything the Plan holds, JSON-ready; equal in every process of the app."""
    return {
        "prefix": plan.prefix,
        "steps": [describe_step(step) for step in plan.steps],
        "streams": [asdict(stream) for stream in plan.streams],
        "routes": [
            {
                "method": route.trigger.method,
                "path": route.trigger.path,
                "openapi": route.path.openapi,
                "step": route.step.name,
            }
            for route in plan.routes
        ],
        "queues": [
            {
                "name": queue.name,
                "step": queue.step,
                "task": queue.task,
                "topics": queue.topics,
                "type": "fifo" if queue.partitions else "standard",
                "partitions": queue.partitions,
            }
            for queue in plan.topology.queues
        ],
        "schedules": [{**asdict(entry), "name": entry.name} for entry in plan.schedules],
        "flows": [asdict(flow) for flow in plan.flows],
        "problems": [problem.as_dict() for problem in plan.problems],
    }


def describe_step(step: Step) -> dict[str, Any]:
    """Everything that a Step says of itself, JSON-ready."""
    groups = (
        ("http", step.http),
        ("event", step.events),
        ("cron", step.crons),
        ("state", [t for _, t in step.changes if isinstance(t, StateTrigger)]),
        ("stream", [t for _, t in step.changes if isinstance(t, StreamTrigger)]),
    )
    triggers = [{"type": kind, **asdict(trigger)} for kind, group in groups for trigger in group]
    return {
        "id": step.id,
        "name": step.name,
        "file": step.file,
        "language": step.language,
        "description": step.description,
        "flows": step.flows,
        "triggers": triggers,
        "emits": [asdict(emit) for emit in step.emits],
        "virtual_emits": [asdict(emit) for emit in step.virtual_emits],
        "virtual_subscribes": step.virtual_subscribes,
        "retry": asdict(step.retry),
        "timeout_seconds": step.timeout_seconds,
    }


def mermaid(steps: Iterable[Step]) -> str:
    """The Steps as a Mermaid flowchart."""
    drawn = tuple(steps)
    lines = ["flowchart TD"]
    ids = {step.name: f"s{number}" for number, step in enumerate(drawn)}
    lines += [f"    {ids[step.name]}{_shape(step)}" for step in drawn]
    lines += [f"    {line}" for line in _arrows(tuple(edges_between(drawn)), ids)]
    lines += [
        "    classDef http fill:#dcfce7,stroke:#16a34a,color:#14532d",
        "    classDef event fill:#dbeafe,stroke:#2563eb,color:#1e3a8a",
        "    classDef cron fill:#ffedd5,stroke:#ea580c,color:#7c2d12",
    ]
    return "\n".join(lines) + "\n"


def _shape(step: Step) -> str:
    name = _quoted(step.name)
    if step.http:
        trigger = step.http[0]
        return f'["{name}<br/>{_quoted(f"{trigger.method} {trigger.path}")}"]:::http'
    if step.crons:
        return f'(["{name}<br/>{_quoted(step.crons[0].expression)}"]):::cron'
    return f'("{name}"):::event' if step.is_queued else f'{{{{"{name}"}}}}'


def _arrows(edges: tuple[Edge, ...], ids: dict[str, str]) -> Iterator[str]:
    for edge in edges:
        arrow = "-.->" if edge.virtual or edge.conditional else "-->"
        label = _quoted(f"{edge.topic} ({edge.label})" if edge.label else edge.topic)
        yield f'{ids[edge.source]} {arrow}|"{label}"| {ids[edge.target]}'


def _quoted(text: str) -> str:
    """Text inside Mermaid's quotes: its own marks become entities."""
    return re.sub(r'["#<>`\n\r]', lambda mark: f"#{ord(mark[0])};", text)
