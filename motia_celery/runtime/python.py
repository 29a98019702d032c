"""The Python host: loads Step files into this process and calls their handlers.

``async def`` handlers run on the process's event loop, plain ``def`` handlers in threads.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from motia_celery.context import Context
from motia_celery.context.arguments import fitting, room
from motia_celery.context.current import current
from motia_celery.errors import ConfigError
from motia_celery.model.client import StreamAuthInput, StreamSubscription
from motia_celery.model.kinds import KINDS, lists_triggers
from motia_celery.model.run import Run
from motia_celery.motia.steps import StepDefinition
from motia_celery.runtime.beside import Beside
from motia_celery.runtime.crossing import adopt
from motia_celery.runtime.handler import Handler, Handlers
from motia_celery.runtime.middleware import Inner
from motia_celery.runtime.modules import load_module, prepare_imports
from motia_celery.runtime.source import Definition, SourceFile, TriggerFunctions
from motia_celery.runtime.wanted import wanted_by

Function = Callable[..., Any]


class PythonHost:
    """The Python Steps of one process. ``threads`` bounds how many ``def`` handlers run at once."""

    def __init__(self, root: Path, *, threads: int = 32) -> None:
        self._root = root
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="step")
        self._beside = Beside()
        self._handlers: dict[str, Handlers] = {}
        self._rules: dict[str, Function] = {}
        self._hooks: dict[str, Mapping[str, Any]] = {}
        self._authenticate: Function | None = None
        self._around: tuple[Function, ...] = ()
        prepare_imports(root)

    def load(self, source: SourceFile) -> Definition:
        """Executes the file and gives what it defines.

        Raises:
            ConfigError: it defines no ``config``.
            BaseException: whatever the file raises.
        """
        return self.define(load_module(self._root, source.path), source)

    def define(self, module: ModuleType, source: SourceFile) -> Definition:
        """What the file's module defines.

        Raises:
            ConfigError: it defines no ``config``.
        """
        if source.kind == "config":
            return read_project(module)
        config, handler = defined(module)
        if config is None:
            raise ConfigError("the file defines no config.", source.file, "Define config = {…}.")
        return Definition(
            config=config,
            handler=handler,
            wanted=wanted_by(handler) if callable(handler) else None,
            middleware=_callables(_member(config, "middleware")),
            triggers=tuple(_triggers(config)),
            can_access=_member(config, "canAccess", "can_access"),
            hooks=_hooks(config),
        )

    def register(self, step: str, definition: Definition) -> None:
        """Makes the definition's handler the one that runs for ``step``."""
        if callable(definition.handler):
            self._handlers[step] = Handlers(definition)

    def register_access(self, stream: str, definition: Definition) -> None:
        """Makes the definition's ``canAccess`` the stream's rule, and its hooks the stream's."""
        self._hooks[stream] = definition.hooks
        if callable(definition.can_access):
            self._rules[stream] = definition.can_access

    async def can_access(
        self, stream: str, subscription: Mapping[str, Any], auth_context: Any
    ) -> bool:
        """What the stream's ``canAccess`` says.

        Raises:
            Exception: whatever it raises.
        """
        rule = self._rules[stream]
        arguments = (dict(subscription), auth_context)[: room(rule)]
        return bool(await self._invoke(rule, arguments))

    async def call_hook(self, hook: str, run: Run, context: Context) -> bool:
        """Calls a hook of the stream ``run.step``, and says whether the client may join.

        Raises:
            Exception: whatever it raises.
        """
        function = self._hooks[run.step].get(hook)
        if not callable(function):
            raise TypeError(f"{hook} is no function but {type(function).__name__}")
        subscription = StreamSubscription(run.input["subscription"])
        arguments = (subscription, context, run.input["auth"])
        with current(context):
            return _lets_in(await self._invoke(function, arguments[: room(function, 3)]))

    def register_authentication(self, definition: Definition) -> None:
        """Makes the definition's ``authenticate`` the app's."""
        self._authenticate = definition.authenticate

    def register_middleware(self, definition: Definition) -> None:
        """Makes the definition's middleware the app's, around every API Step."""
        self._around = definition.middleware

    async def around(self, run: Run, context: Context, inner: Inner) -> Any:
        """What the app's middleware makes of a request, whose handler ``inner`` calls.

        Raises:
            Exception: whatever it, or the handler, raises.
        """

        def last(request: Any) -> Awaitable[Any]:
            adopt(run.input, request)
            return inner()

        with current(context):
            return await _Chain(self, self._around, context, last).start(run.input)

    async def authenticate_stream(self, run: Run, context: Context) -> Any:
        """What the app's ``authenticate_stream`` says of a client, which is the run's input.

        Raises:
            PermissionError: it says that the client is not authorized.
            Exception: whatever it raises.
        """
        if self._authenticate is None:
            raise ConfigError("there is no authenticate_stream.")
        arguments = (StreamAuthInput(run.input), context)[: room(self._authenticate)]
        with current(context):
            told = await self._invoke(self._authenticate, arguments)
        if told is False or _member(told, "authorized") is False:
            raise PermissionError("the client is not authorized")
        return _member(told, "context")

    async def authenticate(self, request: Mapping[str, Any]) -> Any:
        """What the app's ``authenticate`` says of a request (``headers`` and ``url``).

        Raises:
            Exception: whatever it raises.
        """
        if self._authenticate is None:
            raise ConfigError("there is no authenticate.")
        return await self._invoke(self._authenticate, (request,))

    async def call(self, run: Run, context: Context) -> Any:
        """Calls the Step's handler once, and gives what it returned.

        Raises:
            Exception: whatever the handler raises.
        """
        return await self.handle(self._handlers[run.step], run, context)

    async def handle(self, handlers: Handlers, run: Run, context: Context) -> Any:
        """Calls the handler of the run's trigger once, inside its middleware, and gives what it
        returned; if its condition does not hold, it is not called.
        """
        handler = handlers.of(context)
        work = self._conditional(handler, run, context)
        return await (self._beside.run(work) if handler.may_wait else work)

    async def _conditional(self, handler: Handler, run: Run, context: Context) -> Any:
        with current(context):
            if handler.condition is not None and not await self._holds(handler, run, context):
                return skipped(run, context)
            result = await self._handled(handler, run, context)
            return result if context.written is None else await context.written.finish(result)

    async def _handled(self, handler: Handler, run: Run, context: Context) -> Any:
        around = self._around if run.trigger == "http" else ()
        if middleware := (*around, *handler.middleware):
            last = partial(self._last, handler, run, context)
            return await _Chain(self, middleware, context, last).start(run.input)
        if handler.is_async:
            return await handler.function(*handler.arguments(run, context))
        return await self._invoke(handler.function, handler.arguments(run, context))

    async def _last(self, handler: Handler, run: Run, context: Context, _: Any) -> Any:
        return await self._invoke(handler.function, handler.arguments(run, context))

    async def _holds(self, handler: Handler, run: Run, context: Context) -> bool:
        condition = handler.condition
        if condition is None or not callable(condition):
            return False
        return bool(await self._invoke(condition, fitting(condition, run.input, context)))

    async def _invoke(self, function: Function, arguments: Sequence[Any]) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(*arguments)
        ambient = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(
            self._threads, lambda: ambient.run(_call, function, arguments)
        )
        return await result if inspect.isawaitable(result) else result

    def close(self) -> None:
        """Lets go of the threads; those that still run a handler are not waited for."""
        self._beside.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Chain:
    """Middleware around a handler, outermost first, as Motia composes it.

    ``next_fn()`` runs the rest. An argument to it replaces the request for the next middleware;
    the handler always gets the original, which middleware may change in place.
    """

    def __init__(
        self,
        host: PythonHost,
        middleware: Sequence[Function],
        context: Context,
        last: Callable[[Any], Awaitable[Any]],
    ) -> None:
        self._invoke = host._invoke
        self._middleware = middleware
        self._context = context
        self._last = last

    async def start(self, request: Any) -> Any:
        """Runs the chain."""
        return await self._link(0, request)

    async def _link(self, index: int, request: Any) -> Any:
        if index == len(self._middleware):
            return await self._last(request)

        async def following(replacement: Any = None) -> Any:
            return await self._link(index + 1, request if replacement is None else replacement)

        function = self._middleware[index]
        return await self._invoke(function, (request, self._context, following))


def skipped(run: Run, context: Context) -> Any:
    """What a run whose condition does not hold returns: the answer to a request, or nothing."""
    context.logger.info(f"Skipped: the condition of its {context.trigger.type} trigger is false")
    if run.trigger != "http":
        return None
    return {"status": 422, "body": {"error": "Condition not met", "skipped": True}}


def defined(module: ModuleType) -> tuple[Any, Any]:
    """The config and the handler of a Step's file: each by its name, or together in one value."""
    config, handler = getattr(module, "config", None), getattr(module, "handler", None)
    for place in (config, handler):
        if isinstance(place, StepDefinition):
            return place.config, place.handler or handler
    if config is not None and handler is not None:
        return config, handler
    found = (value for value in vars(module).values() if isinstance(value, StepDefinition))
    whole = next((d for d in found if config is None or d.config is config), None)
    return (whole.config, whole.handler or handler) if whole else (config, handler)


def _triggers(config: Any) -> Iterator[TriggerFunctions]:
    if not lists_triggers(config):
        return
    listed = _member(config, "triggers_", "triggers")
    for trigger in listed if isinstance(listed, (list, tuple)) else ():
        yield TriggerFunctions(
            kind=KINDS.get(str(_member(trigger, "type")), ""),
            input=_member(trigger, "input"),
            condition=_member(trigger, "condition"),
            middleware=_callables(_member(trigger, "middleware")),
        )


def _call(function: Function, arguments: Sequence[Any]) -> Any:
    try:
        return function(*arguments)
    except StopIteration as error:
        # No future can hold it: the run would never end.
        raise RuntimeError("the handler raised StopIteration") from error


def _member(config: Any, *names: str) -> Any:
    """A callable part of a config that is a dict or one of the typed objects."""
    for name in names:
        value = config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)
        if value is not None:
            return value
    return None


def _callables(middleware: Any) -> tuple[Function, ...]:
    if not isinstance(middleware, (list, tuple)):
        return ()
    return tuple(function for function in middleware if callable(function))


def _hooks(config: Any) -> dict[str, Any]:
    names = {"onJoin": "on_join", "onLeave": "on_leave"}
    found = {name: _member(config, name, snake) for name, snake in names.items()}
    return {name: hook for name, hook in found.items() if hook is not None}


def _lets_in(result: Any) -> bool:
    """Whether what ``onJoin`` returned, ``{"unauthorized": …}`` or nothing, lets the client in."""
    return result is not False and not _member(result, "unauthorized")


def read_project(module: Any) -> Definition:
    """What a config file defines, in ``config`` or by itself."""
    places = (getattr(module, "config", None), module)
    auth = _first(places, "streamAuth", "stream_auth")
    rule = _first(places, "authenticateStream", "authenticate_stream")
    listed = _first(places, "middleware")
    listed = listed if isinstance(listed, (list, tuple)) else [listed] if listed else []
    return Definition(
        config={},
        authenticate=rule if auth is None else _member(auth, "authenticate") or auth,
        middleware=_callables(listed),
        project={
            "hasStreamAuth": auth is not None,
            "middleware": ["function" if callable(m) else type(m).__name__ for m in listed],
        },
    )


def _first(places: Iterable[Any], *names: str) -> Any:
    found = (_member(place, *names) for place in places)
    return next((value for value in found if value is not None), None)
