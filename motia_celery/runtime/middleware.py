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
from motia_celery.runtime.crossing import ContextAnswerer, adopt, call_fields
from motia_celery.runtime.host import Host
from motia_celery.runtime.process import Link
from motia_celery.runtime.remote import RemoteError
from motia_celery.runtime.source import Definition

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


class ProjectCalls:
    """A part of a host in another process: calls of the config file's functions."""

    _config_file: str | None
    _around: str | None = None

    async def _living(self) -> Link:
        """The host's process, started if there is none."""
        raise NotImplementedError

    def around_fields(self, run: Run) -> dict[str, Any]:
        """What a ``call`` says beside its own, so that the app's middleware is around it."""
        return {"around": self._around} if self._around and run.trigger == "http" else {}

    def register_middleware(self, definition: Definition) -> None:
        """Makes the middleware of the definition's file the app's, around every API Step."""
        self._around = definition.project.get("file")

    async def around(self, run: Run, context: Context, inner: Inner) -> Any:
        """What the app's middleware makes of a request, whose handler ``inner`` calls.

        Raises:
            Exception: what the handler raised, and the middleware let pass.
            RemoteError: what the middleware threw.
            HostDiedError: the host's process ended meanwhile.
            HostMissingError: there is no such host.
        """
        answerer = AroundAnswerer(run, context, inner)
        link = await self._living()
        message = {"type": "around", **call_fields(self._around or "", run)}
        try:
            return await link.call(message, answerer)
        except RemoteError as error:
            raise answerer.original(error) from None
        finally:
            answerer.close()

    async def authenticate_stream(self, run: Run, context: Context) -> Any:
        """What the app's ``authenticateStream`` says of a client, which is the run's input.

        Raises:
            RemoteError: what it threw.
            HostDiedError: the host's process ended meanwhile.
            HostMissingError: there is no such host.
        """
        link = await self._living()
        fields = {"request": run.input, **call_fields(self._config_file or "", run)}
        return await link.call({"type": "authenticate", **fields}, ContextAnswerer(context))
