"""Steps as values: a config and its handler together, or a handler for each kind of trigger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """A Step's config and its handler; ``config, handler = …`` takes them apart."""

    config: Any
    handler: Any = None

    def __iter__(self) -> Iterator[Any]:
        return iter((self.config, self.handler))


class HandlerByTrigger:
    """A handler for each kind of trigger: ``http``, ``queue``, ``cron``, ``state``, ``stream``."""

    def __init__(self, by_kind: Mapping[str, Function]) -> None:
        self.by_kind = dict(by_kind)

    def __call__(self, given: Any, context: Any) -> Any:
        """What the handler for the context's trigger returns."""
        return context.match(self.by_kind)


class MultiTriggerStep:
    """Collects the handlers of a Step's triggers; ``handlers()`` makes the Step of them."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self._by_kind: dict[str, Function] = {}

    def on_http(self, handler: Function) -> MultiTriggerStep:
        """Requests are for this handler."""
        return self._with("http", handler)

    def on_queue(self, handler: Function) -> MultiTriggerStep:
        """Events are for this handler."""
        return self._with("queue", handler)

    def on_cron(self, handler: Function) -> MultiTriggerStep:
        """Ticks of the clock are for this handler."""
        return self._with("cron", handler)

    def on_state(self, handler: Function) -> MultiTriggerStep:
        """Changes of state are for this handler."""
        return self._with("state", handler)

    def on_stream(self, handler: Function) -> MultiTriggerStep:
        """Changes of streams are for this handler."""
        return self._with("stream", handler)

    on_api = on_http

    def handlers(self, by_kind: Mapping[str, Function] | None = None) -> StepDefinition:
        """The Step; ``by_kind`` may name handlers as well, as ``{"http": …, "queue": …}``."""
        for kind, handler in (by_kind or {}).items():
            self._with("http" if kind == "api" else kind, handler)
        return StepDefinition(self.config, HandlerByTrigger(self._by_kind))

    def _with(self, kind: str, handler: Function) -> MultiTriggerStep:
        self._by_kind[kind] = handler
        return self


def step(config: Any, handler: Function | None = None) -> StepDefinition:
    """A Step of this config and handler."""
    return StepDefinition(config, handler)


def multi_trigger_step(config: Any) -> MultiTriggerStep:
    """A Step with a handler for each kind of its triggers, which are added by ``on_…``."""
    return MultiTriggerStep(config)
