"""What spans say: the semantic conventions of HTTP and messaging, and ``motia.*`` of our own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from motia_celery.model.event import Event
from motia_celery.model.run import Run, RunError
from motia_celery.observe import tracing

Attributes = dict[str, str | int | float | bool | list[str]]

_METHODS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
_PORTS = {"http": 80, "https": 443}
_NAME_LIMIT = 200


def known_method(method: str) -> str:
    """The method, or ``_OTHER``: a client may make up any."""
    return method if method in _METHODS else "_OTHER"


def of_request(scope: Mapping[str, Any], headers: Mapping[str, Any], route: str) -> Attributes:
    """What is known of a request before it is answered; its query may hold secrets, and is not."""
    method = known_method(scope["method"])
    found: dict[str, Any] = {
        "http.request.method": method,
        "http.request.method_original": scope["method"] if method == "_OTHER" else None,
        "http.route": route,
        "url.path": scope["path"],
        "url.scheme": scope.get("scheme", "http"),
        "network.protocol.version": scope.get("http_version"),
        "user_agent.original": headers.get("user-agent"),
        "client.address": (scope.get("client") or (None,))[0],
        **_server(scope, headers),
    }
    return {name: value for name, value in found.items() if value is not None}


def _server(scope: Mapping[str, Any], headers: Mapping[str, Any]) -> dict[str, Any]:
    try:
        url = urlsplit(f"//{headers.get('host', '')}")
        host, port = url.hostname, url.port
    except ValueError:  # it is the client's word
        return {}
    return {
        "server.address": host,
        "server.port": (port or _PORTS.get(scope.get("scheme", "http"))) if host else None,
    }


def of_sending(event: Event, queue: str | None) -> Attributes:
    """What is known of a message that is sent; ``queue`` is where one goes that is no emit."""
    names = tracing.names()
    exchange = "" if names is None else names.steps if queue else names.events
    return {
        **_of_message(event),
        "messaging.operation.type": "send",
        "messaging.operation.name": "send",
        "messaging.message.body.size": len(event.body),
        **_destination([exchange, queue or event.topic]),
    }


def of_processing(event: Event, queue: str) -> Attributes:
    """What is known of a message that a run was started by."""
    names = tracing.names()
    exchange = "" if names is None else names.events if event.topic else names.steps
    return {
        **_of_message(event),
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        **_destination([exchange, event.topic, queue]),
    }


def _of_message(event: Event) -> Attributes:
    found: Attributes = {"messaging.system": tracing.system(), "messaging.message.id": event.id}
    if event.root_id:
        found["messaging.message.conversation_id"] = event.root_id
    return found


def _destination(parts: list[str]) -> Attributes:
    """``exchange:routing key`` or ``exchange:routing key:queue``; Redis has but the last."""
    given = [part for part in parts if part]
    if tracing.system() != "rabbitmq":
        return {"messaging.destination.name": given[-1]}
    key = given[1] if len(given) > 1 else given[0]
    return {
        "messaging.destination.name": ":".join(given),
        "messaging.rabbitmq.destination.routing_key": key,
    }


def of_run(run: Run, queued_at_ms: int | None) -> Attributes:
    """Which Step begins to run, for which time, and how long its message has waited until now."""
    found: Attributes = {
        "motia.step": run.step,
        "motia.trigger": run.trigger,
        "motia.run.id": run.id,
        "motia.attempt": run.attempt,
        "motia.max_attempts": run.max_attempts,
    }
    if run.flows:
        found["motia.flows"] = list(run.flows)
    if run.topic:
        found["motia.topic"] = run.topic
    if run.group:
        found["motia.message_group"] = run.group
    if isinstance(queued_at_ms, int):  # a task that Celery sent may say anything
        found["motia.queue.wait_seconds"] = max(0.0, round(time.time() - queued_at_ms / 1000, 3))
    return found


def of_error(error: RunError) -> Attributes:
    """An error, as the event ``exception`` of a span has it."""
    return {
        "exception.type": error.type,
        "exception.message": error.message,
        "exception.stacktrace": error.traceback or str(error),
    }


def prefixed(given: Attributes) -> Attributes:
    """Attributes of ours; ``state_group`` is ``motia.state.group``."""
    return {
        f"motia.{name.replace('_', '.')}": value[:_NAME_LIMIT] if isinstance(value, str) else value
        for name, value in given.items()
    }
