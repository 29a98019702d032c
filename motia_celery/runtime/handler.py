"""A Step's handler: its function, what stands around it, and the arguments that it gets.

A Step with a list of triggers may have a function, middleware and a condition for each of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from motia_celery.context import Context
from motia_celery.context.arguments import room, wants_context_alone
from motia_celery.model.run import Run
from motia_celery.motia.ambient import uses_ambient
from motia_celery.motia.steps import HandlerByTrigger
from motia_celery.runtime.source import Definition, TriggerFunctions
from motia_celery.runtime.wanted import Wanted, wanted_as, wanted_by

Function = Callable[..., Any]


class Handler:
    """A function and its middleware; it gets as many arguments as it declares."""

    condition: Function | None = None

    def __init__(
        self, function: Function, middleware: Sequence[Function], wanted: Wanted | None
    ) -> None:
        self.function = function
        self.middleware = middleware
        self.is_async = inspect.iscoroutinefunction(function)
        #: It may hold up the loop that it runs on.
        self.may_wait = self.is_async and uses_ambient(getattr(function, "__globals__", {}))
        self._room = room(function)
        self._wanted = wanted

    def arguments(self, run: Run, context: Context) -> tuple[Any, ...]:
        """``(input, context)``; for cron ``(context)``, or ``(None, context)`` if it takes two."""
        if run.trigger == "cron" and self._room != 2:
            return (context,)[: self._room]
        return (self._input(run), context)[: self._room]

    def _input(self, run: Run) -> Any:
        """The input, as an instance of what the handler is annotated with.

        Raises:
            InputMismatchError: it does not fit.
        """
        wanted = self._wanted
        if wanted is None or wanted.in_body is not (run.trigger == "http"):
            return run.input
        return wanted.fitted(run.input)


class TriggerHandler(Handler):
    """The handler of one trigger of a list; a lone argument is the context where it is called so,
    and where the function is for cron alone.
    """

    def __init__(self, function: Function, of: TriggerFunctions, *, is_for_cron: bool) -> None:
        super().__init__(function, of.middleware, wanted_by(function))
        self.condition = of.condition
        if of.kind == "queue" and (self._wanted is None or self._wanted.in_body):
            self._wanted = wanted_as(of.input)
        self._takes_context = wants_context_alone(function) or (is_for_cron and self._room == 1)

    def arguments(self, run: Run, context: Context) -> tuple[Any, ...]:
        """``(input, context)``, or as much of it as it takes."""
        if self._takes_context:
            return (context,)
        # A model that it is annotated with is for the other triggers.
        given = None if run.trigger == "cron" else self._input(run)
        return (given, context)[: self._room]


class Handlers:
    """The handler of each trigger of a Step, or the one handler for all of them."""

    def __init__(self, definition: Definition) -> None:
        function = definition.handler
        kinds = {trigger.kind for trigger in definition.triggers}
        self._of_triggers = tuple(
            _trigger_handler(function, trigger, kinds) for trigger in definition.triggers
        )
        self._lone: Handler | None = None
        if callable(function) and not self._of_triggers:
            self._lone = Handler(function, definition.middleware, definition.wanted)

    def of(self, context: Context) -> Handler:
        """The handler of the context's run.

        Raises:
            TypeError: its trigger has none.
        """
        if self._lone is not None:
            return self._lone
        info = context.trigger
        handler = self._of_triggers[info.index] if info.index < len(self._of_triggers) else None
        if handler is None:
            raise TypeError(f"the Step has no handler for its {info.type} trigger")
        return handler


def _trigger_handler(function: Any, trigger: TriggerFunctions, kinds: set[str]) -> Handler | None:
    is_for_cron = kinds == {"cron"}
    if isinstance(function, HandlerByTrigger):
        function, is_for_cron = function.by_kind.get(trigger.kind), trigger.kind == "cron"
    return (
        TriggerHandler(function, trigger, is_for_cron=is_for_cron) if callable(function) else None
    )
