"""Access: who may join a stream, as ``canAccess`` and ``onJoin`` of its file say."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from motia_celery.context import Context
from motia_celery.model.run import Run
from motia_celery.model.step import Hook, Language, Stream
from motia_celery.model.trace import Trace
from motia_celery.runtime.host import completed
from motia_celery.runtime.remote import RemoteError

logger = logging.getLogger("motia_celery.streams")

TIMEOUT_SECONDS = 10.0
#: Clients may leave by the thousand.
_LEAVING_AT_ONCE = 32

Contexts = Callable[[Run, Stream], Context]


class AccessHost(Protocol):
    """Something that calls the access rules of one language."""

    async def can_access(
        self, stream: str, subscription: Mapping[str, Any], auth_context: Any
    ) -> bool:
        """What the stream's rule says, or raises what it raised."""

    async def call_hook(self, hook: str, run: Run, context: Context) -> bool:
        """Whether the client may join, as the hook says, or raises what it raised."""


class Access:
    """The access rules and hooks of the app's streams; ``contexts`` makes what hooks are given."""

    def __init__(
        self,
        streams: Iterable[Stream],
        hosts: Mapping[Language, AccessHost],
        timeout_seconds: float = TIMEOUT_SECONDS,
        *,
        contexts: Contexts | None = None,
    ) -> None:
        self._streams = {stream.name: stream for stream in streams}
        self._hosts = hosts
        self._timeout = timeout_seconds
        self._contexts = contexts
        self._leaving: set[asyncio.Task[bool]] = set()
        self._turns = asyncio.Semaphore(_LEAVING_AT_ONCE)

    def has(self, stream: str) -> bool:
        """Whether there is a stream of this name."""
        return stream in self._streams

    async def allows(self, stream: str, subscription: Mapping[str, Any], auth_context: Any) -> bool:
        """Whether a client may join; ``subscription`` is ``{"groupId": …}``, with ``id`` or not.

        A stream without a rule is open, one that does not exist is closed. A rule that raises,
        or takes longer than the timeout, denies; that is logged.
        """
        declared = self._streams.get(stream)
        if declared is None:
            return False
        if declared.has_access_rule:
            rule = self._hosts[declared.language].can_access(stream, subscription, auth_context)
            if not await self._answer(declared, "canAccess", rule):
                return False
        if "onJoin" not in declared.hooks:
            return True
        return await self._hook(declared, "onJoin", subscription, auth_context)

    def left(self, stream: str, subscription: Mapping[str, Any], auth_context: Any) -> None:
        """Tells the stream's ``onLeave``, if it has one, that a client has left; waits for nothing.

        What it raises is logged.
        """
        declared = self._streams.get(stream)
        if declared is None or "onLeave" not in declared.hooks:
            return
        task = asyncio.create_task(self._leave(declared, subscription, auth_context))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def aclose(self) -> None:
        """Returns once every ``onLeave`` has ended."""
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=self._timeout)

    async def _leave(self, stream: Stream, subscription: Mapping[str, Any], auth: Any) -> bool:
        async with self._turns:
            return await self._hook(stream, "onLeave", subscription, auth)

    async def _hook(
        self, stream: Stream, hook: Hook, subscription: Mapping[str, Any], auth: Any
    ) -> bool:
        if self._contexts is None:
            return False
        run = Run(
            id=str(uuid.uuid4()),
            step=stream.name,
            trigger="event",
            input={"subscription": dict(subscription), "auth": auth},
            trace=Trace.start(),
        )
        context = self._contexts(run, stream)
        call = self._hosts[stream.language].call_hook(hook, run, context)
        return await self._answer(stream, hook, completed(call, context))

    async def _answer(self, stream: Stream, function: str, work: Awaitable[bool]) -> bool:
        """What a function of the stream's file says; False for whatever goes wrong in it."""
        try:
            async with asyncio.timeout(self._timeout):
                return await work
        except asyncio.CancelledError:
            # It may await something that was cancelled; only our own task ends the join.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            reason = "it was cancelled"
        except TimeoutError:
            reason = f"it took longer than {self._timeout:g} s, or gave up waiting"
        except (Exception, SystemExit) as error:
            reason = _words(error)
        _report(stream, function, reason)
        return False


def _words(error: BaseException) -> str:
    if isinstance(error, RemoteError):
        return f"{error.name}: {error} ({error.where})"
    return f"{type(error).__name__}: {error}"


def _report(stream: Stream, function: str, reason: str) -> None:
    logger.error(
        "%s of the stream %r failed%s: %s. Look at %s.",
        function,
        stream.name,
        "" if function == "onLeave" else ", so access was denied",
        reason,
        stream.file,
        extra={"action": "stream.access", "stream": stream.name},
    )
