"""Access: who may join a stream, as the ``canAccess`` of its file says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from motia_celery.model.step import Language, Stream
from motia_celery.runtime.remote import RemoteError

logger = logging.getLogger("motia_celery.streams")

TIMEOUT_SECONDS = 10.0


class AccessHost(Protocol):
    """Something that calls the access rules of one language."""

    async def can_access(
        self, stream: str, subscription: Mapping[str, Any], auth_context: Any
    ) -> bool:
        """What the stream's rule says, or raises what it raised."""


class Access:
    """The access rules of the app's streams."""

    def __init__(
        self,
        streams: Iterable[Stream],
        hosts: Mapping[Language, AccessHost],
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._streams = {stream.name: stream for stream in streams}
        self._hosts = hosts
        self._timeout = timeout_seconds

    def has(self, stream: str) -> bool:
        """Whether there is a stream of this name."""
        return stream in self._streams

    async def allows(self, stream: str, subscription: Mapping[str, Any], auth_context: Any) -> bool:
        """Whether a client may join; ``subscription`` is ``{"groupId": …}``, with ``id`` or not.

        A stream without a rule is open, one that does not exist is closed. A rule that raises,
        or takes longer than the timeout, denies; that is logged.
        """
        declared = self._streams.get(stream)
        if declared is None or not declared.has_access_rule:
            return declared is not None
        host = self._hosts[declared.language]
        try:
            async with asyncio.timeout(self._timeout):
                return await host.can_access(stream, subscription, auth_context)
        except asyncio.CancelledError:
            # The rule may await something that was cancelled; only our own task ends the join.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            reason = "it was cancelled"
        except TimeoutError:
            reason = f"it took longer than {self._timeout:g} s, or gave up waiting"
        except (Exception, SystemExit) as error:
            reason = _words(error)
        _report(declared, reason)
        return False


def _words(error: BaseException) -> str:
    if isinstance(error, RemoteError):
        return f"{error.name}: {error} ({error.where})"
    return f"{type(error).__name__}: {error}"


def _report(stream: Stream, reason: str) -> None:
    logger.error(
        "canAccess of the stream %r failed, so access was denied: %s. Look at %s.",
        stream.name,
        reason,
        stream.file,
        extra={"action": "stream.access", "stream": stream.name},
    )
