"""The types of a project's Steps and streams, in TypeScript, as Motia has them.

``Handlers['name']`` knows the body or the data, the responses, and the events that may be emitted;
``context.streams`` knows the items. What has no schema is ``unknown``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from motia_celery.model.schema_type import schema_type
from motia_celery.model.step import CronTrigger, EventTrigger, HttpTrigger, JsonSchema, Step, Stream
from motia_celery.model.topic import matches

_IMPORTS = "ApiResponse, ApiRouteHandler, CronHandler, EventHandler, MotiaStream"


def declarations(
    steps: Iterable[Step], streams: Iterable[Stream], *, handlers_in: str = "HandlersByName"
) -> str:
    """What ``types.d.ts`` says of them; a Step with several triggers, or one that changes
    start, is left out.

    ``handlers_in`` is the interface of ``motia`` that is filled in: Motia's own has ``Handlers``.
    """
    steps = tuple(steps)
    handlers = [
        f"    {_quoted(step.name)}: {kind};\n" for step in steps if (kind := _handler(step, steps))
    ]
    items = [
        f"    {_quoted(stream.name)}: MotiaStream<{schema_type(stream.schema)}>;\n"
        for stream in streams
    ]
    return (
        f"import {{ {_IMPORTS} }} from 'motia';\n\n"
        "declare module 'motia' {\n"
        f"  interface FlowContextStateStreams {{\n{''.join(items)}  }}\n\n"
        f"  interface {handlers_in} {{\n{''.join(handlers)}  }}\n"
        "}\n"
    )


def _handler(step: Step, steps: tuple[Step, ...]) -> str:
    if len(step.triggers) != 1:
        return ""
    emits, (trigger,) = _emits(step, steps), step.triggers
    if isinstance(trigger, HttpTrigger):
        body = schema_type(trigger.body_schema)
        return f"ApiRouteHandler<{body}, {_responses(trigger)}, {emits}>"
    if isinstance(trigger, EventTrigger):
        return f"EventHandler<{schema_type(trigger.input_schema)}, {emits}>"
    return f"CronHandler<{emits}>" if isinstance(trigger, CronTrigger) else ""


def _responses(trigger: HttpTrigger) -> str:
    found = [
        f"ApiResponse<{status if status.isdecimal() else 'number'}, {schema_type(schema)}>"
        for status, schema in trigger.response_schema.items()
    ]
    return " | ".join(found) or "ApiResponse"


def _emits(step: Step, steps: tuple[Step, ...]) -> str:
    """What it may emit; its data must fit every Step that hears it."""
    topics = dict.fromkeys(emit.topic for emit in step.emits)
    found = [f"{{ topic: {_quoted(topic)}; data: {_data(topic, steps)} }}" for topic in topics]
    return " | ".join(found) or "never"


def _data(topic: str, steps: tuple[Step, ...]) -> str:
    types = dict.fromkeys(schema_type(schema) for schema in _inputs(topic, steps))
    return " & ".join(f"({one})" if " | " in one else one for one in types) or "any"


def _inputs(topic: str, steps: Iterable[Step]) -> Iterator[JsonSchema]:
    for step in steps:
        for trigger in step.events:
            hears = any(matches(pattern, topic) for pattern in trigger.topics)
            if hears and trigger.input_schema:
                yield trigger.input_schema


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
