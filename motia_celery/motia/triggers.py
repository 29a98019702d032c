"""Makers of triggers: each gives the dict that stands in a config's ``triggers``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Condition = Callable[..., Any] | None
Trigger = dict[str, Any]


def http(
    method: str,
    path: str,
    *,
    body_schema: Any = None,
    response_schema: Mapping[Any, Any] | None = None,
    query_params: Sequence[Any] | None = None,
    middleware: Sequence[Callable[..., Any]] | None = None,
    condition: Condition = None,
) -> Trigger:
    """Requests start the Step."""
    return _trigger(
        "http",
        method=method,
        path=path,
        bodySchema=body_schema,
        responseSchema=response_schema,
        queryParams=query_params,
        middleware=middleware,
        condition=condition,
    )


api = http


def queue(
    topic: str,
    *,
    input: Any = None,
    config: Mapping[str, Any] | None = None,
    condition: Condition = None,
) -> Trigger:
    """Events of the topic start the Step."""
    return _trigger("queue", topic=topic, input=input, config=config, condition=condition)


def cron(expression: str, *, timezone: str | None = None, condition: Condition = None) -> Trigger:
    """The clock starts the Step."""
    return _trigger("cron", expression=expression, timezone=timezone, condition=condition)


def state(*, condition: Condition = None) -> Trigger:
    """Every change of state starts the Step; ``condition`` picks those that count."""
    return _trigger("state", condition=condition)


def stream(
    name: str,
    *,
    group_id: str | None = None,
    item_id: str | None = None,
    condition: Condition = None,
) -> Trigger:
    """Changes of the stream start the Step: all, or those of one group or item."""
    return _trigger(
        "stream", streamName=name, groupId=group_id, itemId=item_id, condition=condition
    )


def _trigger(kind: str, **fields: Any) -> Trigger:
    return {"type": kind} | {name: value for name, value in fields.items() if value is not None}
