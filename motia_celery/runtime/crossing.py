"""A call as it crosses to a host and back: the run's fields, and what its handler asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields as fields_of
from typing import Any

from motia_celery.context import Context
from motia_celery.context.request import Request, Upload
from motia_celery.context.requests import request_method
from motia_celery.context.trigger import TriggerInfo
from motia_celery.errors import ConfigError
from motia_celery.model.changed import change_input
from motia_celery.model.run import Run
from motia_celery.model.trace import Trace

_TRIGGER = tuple(field.name for field in fields_of(TriggerInfo))


def call_fields(file: str, run: Run) -> dict[str, Any]:
    """What a ``call`` says about the run of a handler in ``file``, an absolute path."""
    return {"file": file, "run": _run_fields(run), "input": run.input}


def trigger_fields(trigger: TriggerInfo) -> dict[str, Any]:
    """What started a run, in full."""
    return {name: value for name in _TRIGGER if (value := getattr(trigger, name)) is not None}


def told_fields(file: str, run: Run, by: Mapping[str, Any]) -> dict[str, Any]:
    """The same, for a host that does not read Steps: ``by`` is what started the run, in full."""
    told = _run_fields(run)
    told["by"] = by
    fields = {"file": file, "run": told, "input": run.input}
    if isinstance(run.input, Request):
        fields["request"] = {"method": run.input.method, "path": run.input.path}
    return fields


def _run_fields(run: Run) -> dict[str, Any]:
    return {
        "step": run.step,
        "run_id": run.id,
        "trace_id": run.trace.trace_id,
        **run.trace.headers,
        "attempt": run.attempt,
        "max_attempts": run.max_attempts,
        "flows": list(run.flows),
        "topic": run.topic if run.trigger == "event" else None,
        "trigger": run.trigger,
        **({} if run.trigger_index is None else {"trigger_index": run.trigger_index}),
    }


def request_fields(run: Run) -> dict[str, Any]:
    """What a request has beside its keys, for hosts whose handlers can ask for it."""
    request = run.input
    if not isinstance(request, Request):
        return {}
    fields: dict[str, Any] = {"method": request.method, "path": request.path}
    if request.raw_bytes != request.get("rawBody", "").encode():
        fields["raw_bytes"] = request.raw_bytes
    return {"request": fields}


def read_run(message: Mapping[str, Any]) -> Run:
    """The run that a ``call`` describes."""
    told = message["run"]
    return Run(
        id=told["run_id"],
        step=told["step"],
        trigger=told["trigger"],
        input=_read_input(message),
        trace=Trace.read(told) or Trace(told["trace_id"], "0" * 16),
        flows=tuple(told.get("flows") or ()),
        topic=told.get("topic"),
        trigger_index=told.get("trigger_index"),
        attempt=told.get("attempt", 1),
        max_attempts=told.get("max_attempts", 1),
    )


def _read_input(message: Mapping[str, Any]) -> Any:
    value = message.get("input")
    if message["run"]["trigger"] != "http" or not isinstance(value, dict):
        return change_input(message["run"]["trigger"], value)
    more = message.get("request") or {}
    if "files" in value:
        value |= {"files": _uploads(value["files"]), "body": _uploads(value.get("body"))}
    return Request(
        value,
        method=more.get("method", "GET"),
        path=more.get("path", "/"),
        raw_bytes=more.get("raw_bytes", str(value.get("rawBody", "")).encode()),
    )


def adopt(request: Any, changed: Any) -> None:
    """Gives the request what middleware changed of it; it stays the same object."""
    if not isinstance(request, dict) or not isinstance(changed, Mapping) or changed is request:
        return
    kept = {name: request[name] for name in ("rawBody", "files") if name in request}
    body = changed.get("body")
    changed = {**changed, **({"body": _uploads(body)} if "files" in request else {})}
    request.clear()
    request.update(kept)
    request.update(changed)


def _uploads(value: Any) -> Any:
    """The form with its files as handlers know them."""
    if isinstance(value, list):
        return [_uploads(part) for part in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("content"), bytes):
        return Upload(value)
    return {name: _uploads(part) for name, part in value.items()}


class NoContext:
    """Stands for the context of a rule about clients, which has none."""

    async def request(self, method: str, arguments: Sequence[Any]) -> Any:
        """Never answered."""
        raise ConfigError(f"a rule about clients has no context to call {method!r} on.")

    def log(self, level: str, message: str, data: Any) -> None:
        """Never written."""

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Never told."""


class ContextAnswerer:
    """Answers the calls that a handler in another process makes on its context."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def request(self, method: str, arguments: Sequence[Any]) -> Any:
        """The value of a call on the context."""
        function = request_method(self._context, method)
        if function is None:
            raise ConfigError(f"the context has no {method!r}.")
        return await function(*arguments)

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Has ``tell`` called if the client leaves that the handler writes its response to."""
        if (reply := self._context.reply) is not None:
            reply.when_gone(tell)

    def log(self, level: str, message: str, data: Any) -> None:
        """A line of ``context.logger``."""
        write = {"warn": "warn", "error": "error", "debug": "debug"}.get(level, "info")
        getattr(self._context.logger, write)(message, *(() if data is None else (data,)))
