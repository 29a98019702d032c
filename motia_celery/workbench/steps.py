"""Each Step: its config, its schemas, and its source."""

from __future__ import annotations

from collections.abc import Iterator

import anyio.to_thread
from fastapi import APIRouter

from motia_celery.errors import NotFoundError
from motia_celery.model.step import QueueOptions, Step
from motia_celery.plan import Plan
from motia_celery.plan.describe import describe_step
from motia_celery.workbench.component_files import find_component, find_components
from motia_celery.workbench.controls import paused_steps
from motia_celery.workbench.flows import node
from motia_celery.workbench.overview import problem_view
from motia_celery.workbench.schedules import schedule_views
from motia_celery.workbench.shapes.app import (
    NodeView,
    ProblemView,
    QueueOptionsView,
    StepView,
)
from motia_celery.workbench.source import read_source
from motia_celery.workbench.sources import From
from motia_celery.workbench.trying import route_views

router = APIRouter(prefix="/steps", tags=["steps"])


@router.get("")
async def get_steps(sources: From) -> list[NodeView]:
    """Every Step."""
    paused = await paused_steps(sources)
    root, steps = sources.settings.project_root, sources.plan.steps
    components = await anyio.to_thread.run_sync(find_components, root, steps)
    return [
        node(step, paused=step.name in paused, component=components.get(step.name))
        for step in steps
    ]


@router.get("/{name:path}")
async def get_step(sources: From, name: str) -> StepView:
    """Everything about one Step, and the text of its file."""
    plan, step = sources.plan, step_named(sources.plan, name)
    paused = await paused_steps(sources)
    root = sources.settings.project_root
    source = await anyio.to_thread.run_sync(read_source, root, step)
    component = await anyio.to_thread.run_sync(find_component, root, step)
    queue = plan.topology.by_step.get(name)
    entries = (entry for entry in plan.schedules if entry.step == name)
    return StepView(
        **dict(node(step, paused=name in paused, component=component)),
        config=describe_step(step),
        input_schema=next((dict(t.input_schema) for t in step.events if t.input_schema), None),
        api=tuple(route for route in route_views(plan) if route.step == name),
        queue=queue.name if queue else None,
        queue_options=_queue_options(step.queue) if step.events else None,
        max_attempts=step.retry.max_attempts,
        timeout_seconds=step.timeout_seconds,
        schedules=await schedule_views(sources, entries),
        problems=tuple(_problems(plan, step)),
        source=source,
    )


def step_named(plan: Plan, name: str) -> Step:
    """The Step of that name.

    Raises:
        NotFoundError: there is none.
    """
    step = plan.step(name)
    if step is None:
        raise NotFoundError(f"no Step is named {name!r}.", "", "It may have been renamed.")
    return step


def _problems(plan: Plan, step: Step) -> Iterator[ProblemView]:
    for problem in plan.problems:
        if problem.file == step.file:
            yield problem_view(plan, problem)


def _queue_options(options: QueueOptions) -> QueueOptionsView:
    rate = options.rate
    return QueueOptionsView(
        type=options.type,
        visibility_timeout_seconds=options.visibility_timeout_seconds,
        delay_seconds=options.delay_seconds,
        concurrency=options.concurrency,
        concurrency_key=options.concurrency_key,
        rate=f"{rate.count} in {rate.seconds:g} s" if rate else None,
        priority=options.priority,
        partitions=options.partitions if options.type == "fifo" else None,
    )
