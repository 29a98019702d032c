"""Middleware of the whole project, around the handlers of API Steps of every language."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from motia_celery.context import Context
from motia_celery.errors import ConfigError
from motia_celery.model.project import ProjectMiddleware
from motia_celery.model.run import Run
from motia_celery.model.step import Language
from motia_celery.runtime.crossing import ContextAnswerer, adopt
from motia_celery.runtime.host import Host

#: What is inside: the rest of the run, as a call.
Inner = Callable[[], Awaitable[Any]]


class MiddlewareHost(Host, Protocol):
    """Something that calls handlers of one language, inside the project's middleware."""

    async def around(self, run: Run, context: Context, inner: Inner) -> Any:
        """What the middleware makes of a request, whose handler ``inner`` calls."""


class AppMiddleware:
    """The app's middleware: in the process of the handler where both are of one language, else
    around the call of the handler's host.
    """

    def __init__(
        self, declared: ProjectMiddleware | None, hosts: Mapping[Language, MiddlewareHost]
    ) -> None:
        self._declared = declared
        self._hosts = hosts

    def call(self, host: Host, run: Run, context: Context) -> Awaitable[Any]:
        """The call of the run's handler, with what is around it.

        Raises:
            ConfigError: the middleware can not be called.
        """
        declared = self._declared
        if declared is None or run.trigger != "http":
            return host.call(run, context)
        if not declared.is_usable:
            raise ConfigError(
                "the middleware of the project can not be called, so no request is let through.",
                declared.file,
                "Correct the file; `motia-celery check` says what is wrong with it.",
            )
        own = self._hosts[declared.language]
        if host is own:  # which has it around its handlers
            return host.call(run, context)
        return own.around(run, context, lambda: host.call(run, context))


class AroundAnswerer(ContextAnswerer):
    """Answers middleware in another process; its ``next`` is the handler's call."""

    def __init__(self, run: Run, context: Context, inner: Inner) -> None:
        super().__init__(context)
        self._run = run
        self._inner = inner
        self._fault: Exception | None = None
        self._under_way: set[asyncio.Future[Any]] = set()

    async def request(self, method: str, arguments: Sequence[Any]) -> Any:
        """The value of a call on the context, or what ``next`` gives."""
        if method != "next":
            return await super().request(method, arguments)
        adopt(self._run.input, arguments[0] if arguments else None)
        call = asyncio.ensure_future(self._inner())
        self._under_way.add(call)
        try:
            return await call
        except Exception as error:
            self._fault = error
            raise

    def close(self) -> None:
        """Cuts a handler that the middleware does not wait for any more."""
        for call in self._under_way:
            call.cancel()

    def original(self, error: Exception) -> Exception:
        """The handler's own error, where the middleware only let it pass."""
        fault = self._fault
        return fault if fault is not None and str(fault) == str(error) else error
