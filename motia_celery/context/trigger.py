"""What started a run: ``context.trigger``, and the ways in which a handler may ask for it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from motia_celery.context.arguments import fitting, room
from motia_celery.context.calls import Calls
from motia_celery.errors import ConfigError
from motia_celery.model.run import Run, TriggerType
from motia_celery.model.step import CronTrigger, HttpTrigger, Step

TriggerKind = Literal["http", "queue", "cron", "state", "stream"]

#: Motia 1.0's words.
_KINDS: dict[TriggerType, TriggerKind] = {
    "http": "http",
    "event": "queue",
    "cron": "cron",
    "state": "state",
    "stream": "stream",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerInfo:
    """The trigger of a run: its ``type`` (http, queue, cron, state or stream), and its place in
    the config.

    ``method`` and ``path`` are those of the config, ``topic`` is the event's own.
    """

    type: TriggerKind
    index: int = 0
    path: str | None = None
    method: str | None = None
    topic: str | None = None
    expression: str | None = None


def trigger_of(run: Run, step: Step) -> TriggerInfo:
    """What started this run of the Step."""
    index = run.trigger_index
    if index is None:
        index = step.trigger_index(run.trigger, run.topic)
    trigger = None if index is None else step.triggers[index]
    route = trigger if isinstance(trigger, HttpTrigger) else None
    return TriggerInfo(
        type=_KINDS[run.trigger],
        index=index or 0,
        path=route.path if route else None,
        method=route.method if route else None,
        topic=run.topic if run.trigger == "event" else None,
        expression=trigger.expression if isinstance(trigger, CronTrigger) else None,
    )


class Triggered:
    """The part of a context that tells what started the run."""

    _run: Run
    _step: Step
    _calls: Calls
    _whole: Callable[[], Step | None] | None = None

    def knows(self, whole: Callable[[], Step | None]) -> None:
        """Takes how its Step is read, where the one that it has is without triggers."""
        self._whole = whole

    @cached_property
    def trigger(self) -> TriggerInfo:
        """What started the run."""
        step = self._whole() if self._whole else None
        return trigger_of(self._run, step or self._step)

    def is_http(self) -> bool:
        """Whether it was a request."""
        return self._run.trigger == "http"

    is_api = is_http

    def is_queue(self) -> bool:
        """Whether it was an event."""
        return self._run.trigger == "event"

    def is_cron(self) -> bool:
        """Whether it was the clock."""
        return self._run.trigger == "cron"

    def is_state(self) -> bool:
        """Whether it was a change of state."""
        return self._run.trigger == "state"

    def is_stream(self) -> bool:
        """Whether it was a change of a stream."""
        return self._run.trigger == "stream"

    def get_data(self) -> Any:
        """The body of the request, the event's data, or what changed; None for cron."""
        return self._run.input.get("body") if self.is_http() else self._run.input

    getData = get_data  # noqa: N815 - Motia 1.0's name

    def match(self, handlers: Mapping[str, Callable[..., Any]]) -> Any:
        """What the function for the run's trigger returns: ``{"http": …, "queue": …, "cron": …}``.

        It gets the handler's arguments, as many as it takes. ``default`` is for what is not
        named. In an ``async def`` handler the result is awaited.

        Raises:
            ConfigError: there is none for it.
        """
        kind = _KINDS[self._run.trigger]
        named = handlers.get(kind) or (handlers.get("api") if kind == "http" else None)
        function = named or handlers.get("default")
        if function is None:
            fix = f"Add {kind!r} or 'default' to match({{…}})."
            raise ConfigError(f"match has no function for {kind}.", self._step.file, fix)
        result = function(*self._arguments(function, is_of_cron=named and kind == "cron"))
        if _in_a_loop() or inspect.isawaitable(result):
            return self._calls.start_here(_awaited(result))
        return result

    def _arguments(self, function: Callable[..., Any], *, is_of_cron: Any) -> tuple[Any, ...]:
        if is_of_cron and room(function) == 1:
            return (self,)
        return fitting(function, self._run.input, self)


async def _awaited(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
