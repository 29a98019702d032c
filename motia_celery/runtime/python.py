"""The Python host: loads Step files into this process and calls their handlers.

``async def`` handlers run on the process's event loop, plain ``def`` handlers in threads.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from motia_celery.context import Context
from motia_celery.errors import ConfigError
from motia_celery.model.run import Run
from motia_celery.runtime.modules import load_module, prepare_imports
from motia_celery.runtime.source import Definition, SourceFile

Handler = Callable[..., Any]


class PythonHost:
    """The Python Steps of one process. ``threads`` bounds how many ``def`` handlers run at once."""

    def __init__(self, root: Path, *, threads: int = 32) -> None:
        self._root = root
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="step")
        self._handlers: dict[str, Handler] = {}
        prepare_imports(root)

    def load(self, source: SourceFile) -> Definition:
        """Executes the file and gives what it defines.

        Raises:
            ConfigError: it defines no ``config``.
            BaseException: whatever the file raises.
        """
        module = load_module(self._root, source.path)
        config = getattr(module, "config", None)
        if config is None:
            raise ConfigError("the file defines no config.", source.file, "Define config = {…}.")
        return Definition(
            config=config,
            handler=getattr(module, "handler", None),
            middleware=_callables(_member(config, "middleware")),
            can_access=_member(config, "canAccess", "can_access"),
        )

    def register(self, step: str, definition: Definition) -> None:
        """Makes the definition's handler the one that runs for ``step``."""
        if definition.handler is not None:
            self._handlers[step] = self._with_middleware(definition)

    async def call(self, run: Run, context: Context) -> Any:
        """Calls the Step's handler once, and gives what it returned.

        Raises:
            Exception: whatever the handler raises.
        """
        handler = self._handlers[run.step]
        if run.trigger == "cron":
            return await self._invoke(handler, (context,))
        return await self._invoke(handler, (run.input, context))

    def _with_middleware(self, definition: Definition) -> Handler:
        handler = _fitted(definition.handler or _nothing)
        if not definition.middleware:
            return handler
        return _Chain(self, definition.middleware, handler).start

    async def _invoke(self, function: Handler, arguments: Sequence[Any]) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(*arguments)
        ambient = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._threads, lambda: ambient.run(function, *arguments))
        return await result if inspect.isawaitable(result) else result

    def close(self) -> None:
        """Lets go of the threads; those that still run a handler are not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Chain:
    """Middleware around a handler, outermost first, as Motia composes it.

    ``next_fn()`` runs the rest; an argument replaces the request for the next middleware only.
    """

    def __init__(self, host: PythonHost, middleware: Sequence[Handler], handler: Handler) -> None:
        self._host = host
        self._middleware = middleware
        self._handler = handler

    async def start(self, request: Any, context: Context) -> Any:
        """Runs the chain for one request."""
        return await self._link(0, request, request, context)

    async def _link(self, index: int, request: Any, original: Any, context: Context) -> Any:
        if index == len(self._middleware):
            return await self._host._invoke(self._handler, (original, context))

        async def following(replacement: Any = None) -> Any:
            passed = request if replacement is None else replacement
            return await self._link(index + 1, passed, original, context)

        return await self._host._invoke(self._middleware[index], (request, context, following))


def _fitted(handler: Handler) -> Handler:
    """The handler, made to take what it is given where it declares fewer arguments.

    Cron handlers get only the context; event and http handlers may leave the context out.
    """
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):
        return handler
    if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        return handler
    room = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    if room >= 2:
        return handler
    if inspect.iscoroutinefunction(handler):
        async_handler: Callable[..., Awaitable[Any]] = handler

        async def shortened(*arguments: Any) -> Any:
            return await async_handler(*arguments[:room])

        return shortened
    return lambda *arguments: handler(*arguments[:room])


def _member(config: Any, *names: str) -> Any:
    """A callable part of a config that is a dict or one of the typed objects."""
    for name in names:
        value = config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)
        if value is not None:
            return value
    return None


def _callables(middleware: Any) -> tuple[Handler, ...]:
    if not isinstance(middleware, (list, tuple)):
        return ()
    return tuple(function for function in middleware if callable(function))


async def _nothing(*_arguments: Any) -> None:
    return None
