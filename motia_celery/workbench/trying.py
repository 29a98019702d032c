"""What can be tried: every route, topic and cron Step, and how topics and crons are started."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from fastapi import APIRouter

from motia_celery.errors import EmitError, NotFoundError, RequestError
from motia_celery.model.event import Event, run_id
from motia_celery.model.step import Step
from motia_celery.model.topic import Subscriptions, is_pattern, matches, topic_fault
from motia_celery.plan import Plan
from motia_celery.plan.routes import Route
from motia_celery.workbench.controls import paused_steps
from motia_celery.workbench.shapes.app import (
    CronView,
    EmitRequest,
    ParamView,
    RouteView,
    Started,
    TopicView,
)
from motia_celery.workbench.sources import From

router = APIRouter(tags=["try"])

_PARAMETER = re.compile(r"\{(\w+)\}")


@router.get("/endpoints")
async def get_endpoints(sources: From) -> list[RouteView]:
    """Every route, in the order in which they are tried."""
    return list(route_views(sources.plan))


@router.get("/topics")
async def get_topics(sources: From) -> list[TopicView]:
    """Every topic that a Step emits or hears; a pattern can not be emitted itself."""
    return list(topic_views(sources.plan))


@router.get("/crons")
async def get_crons(sources: From) -> list[CronView]:
    """Every Step that the clock starts."""
    paused = await paused_steps(sources)
    return [
        CronView(
            step=step.name,
            expressions=tuple(trigger.expression for trigger in step.crons),
            description=step.description,
            flows=step.flows,
            paused=step.name in paused,
        )
        for step in sources.plan.steps
        if step.crons
    ]


@router.post("/topics/{topic:path}/emit")
async def emit_event(sources: From, topic: str, request: EmitRequest) -> Started:
    """Emits an event, as a Step would."""
    fault = topic_fault(topic) or (is_pattern(topic) and "it is a pattern of topics")
    if fault:
        raise RequestError(f"{topic!r} can not be emitted: {fault}.", "topic", "Name one topic.")
    event = event_of(topic, request.data)
    await sources.publisher.emit(event, delay_seconds=request.delay_seconds)
    queues = sources.plan.topology.subscribers(topic)
    return Started(
        event_id=event.id,
        trace_id=event.trace.trace_id,
        runs={queue.step: run_id(event.id, queue.name) for queue in queues},
    )


@router.post("/crons/{name:path}/run")
async def run_cron(sources: From, name: str) -> Started:
    """Starts a cron Step now; its schedule stays as it is."""
    step = sources.plan.step(name)
    if step is None or not step.crons:
        raise NotFoundError(f"no cron Step is named {name!r}.", "", "It may have been renamed.")
    event = Event(topic="", data=None)
    queue = sources.plan.topology.by_step[name]
    await sources.publisher.send(event, queue)
    return Started(
        event_id=event.id,
        trace_id=event.trace.trace_id,
        runs={name: run_id(event.id, queue.name)},
    )


def event_of(topic: str, data: object) -> Event:
    """An event that no Step emitted.

    Raises:
        RequestError: the data can not travel.
    """
    event = Event(topic=topic, data=data)
    try:
        event.body  # noqa: B018 - it raises
    except EmitError as error:
        raise RequestError(error.what, "data", error.fix) from error
    return event


def route_views(plan: Plan) -> Iterator[RouteView]:
    """Every route with what is needed to try it."""
    return (_route(route) for route in plan.routes)


def _route(route: Route) -> RouteView:
    trigger, step = route.trigger, route.step
    return RouteView(
        step=step.name,
        method=trigger.method,
        path=trigger.path,
        url=route.path.openapi,
        path_params=tuple(dict.fromkeys(_PARAMETER.findall(route.path.openapi))),
        query_params=tuple(
            ParamView(name=param.name, description=param.description)
            for param in trigger.query_params
        ),
        body_schema=None if trigger.body_schema is None else dict(trigger.body_schema),
        response_schema=dict(trigger.response_schema),
        description=step.description,
        flows=step.flows,
    )


def topic_views(plan: Plan) -> Iterator[TopicView]:
    """Every topic and pattern, by name."""
    hearing = Subscriptions((p, n) for n, step in enumerate(plan.steps) for p in step.topics)
    emitters: dict[str, list[Step]] = {}
    for step in plan.steps:
        for emit in step.emits:
            emitters.setdefault(emit.topic, []).append(step)
    for topic in sorted({*emitters, *(topic for step in plan.steps for topic in step.topics)}):
        heard = [plan.steps[number] for number in sorted(hearing.of(topic))]
        yield _topic(topic, heard, _emitters(emitters, topic))


def _emitters(emitters: Mapping[str, list[Step]], topic: str) -> list[Step]:
    if not is_pattern(topic):
        return emitters.get(topic, [])
    found = (step for name, steps in emitters.items() if matches(topic, name) for step in steps)
    return list({step.name: step for step in found}.values())


def _topic(topic: str, heard: list[Step], emitted: list[Step]) -> TopicView:
    return TopicView(
        topic=topic,
        is_pattern=is_pattern(topic),
        emitted_by=tuple(dict.fromkeys(step.name for step in emitted)),
        heard_by=tuple(step.name for step in heard),
        input_schema=_input_schema(heard, topic),
        flows=tuple(dict.fromkeys(flow for step in (*emitted, *heard) for flow in step.flows)),
    )


def _input_schema(steps: list[Step], topic: str) -> dict[str, object] | None:
    """The schema of the first Step that hears the topic and has one."""
    for step in steps:
        for trigger in step.events:
            if trigger.input_schema and any(matches(p, topic) for p in trigger.topics):
                return dict(trigger.input_schema)
    return None
