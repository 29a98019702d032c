"""Authentication: who a client of streams is, as ``streamAuth`` of the config file says."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

from motia_celery.context import Context
from motia_celery.errors import AuthenticationError
from motia_celery.model.run import Run
from motia_celery.model.step import Language, StreamAuth
from motia_celery.model.trace import Trace
from motia_celery.runtime.host import completed
from motia_celery.runtime.remote import RemoteError

logger = logging.getLogger("motia_celery.streams")

TIMEOUT_SECONDS = 10.0

Contexts = Callable[[Run, StreamAuth], Context]


class AuthenticationHost(Protocol):
    """Something that calls the ``authenticate`` of one language."""

    async def authenticate(self, request: Mapping[str, Any]) -> Any:
        """What it gives, or raises what it raised."""

    async def authenticate_stream(self, run: Run, context: Context) -> Any:
        """What that of Motia 1.0 gives for the run's input, or raises what it raised."""


class Authentication:
    """The app's ``authenticate``."""

    def __init__(
        self,
        stream_auth: StreamAuth | None,
        hosts: Mapping[Language, AuthenticationHost],
        timeout_seconds: float = TIMEOUT_SECONDS,
        *,
        contexts: Contexts | None = None,
    ) -> None:
        self._auth = stream_auth
        self._contexts = contexts
        self._hosts = hosts
        self._timeout = timeout_seconds

    async def authenticate(self, headers: Mapping[str, Any], url: str, address: str = "") -> Any:
        """What ``authenticate`` gives for a client; None, an anonymous one, where there is none.

        Raises:
            AuthenticationError: it raised, took longer than the timeout, or can not be called.
        """
        if self._auth is None:
            return None
        if not self._auth.is_usable:
            raise self._failed("it can not be called")
        try:
            async with asyncio.timeout(self._timeout):
                return await self._asked(self._auth, headers, url, address)
        except asyncio.CancelledError:
            # It may await something that was cancelled; only our own task ends the handshake.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            reason = "it was cancelled"
        except TimeoutError:
            reason = f"it took longer than {self._timeout:g} s, or gave up waiting"
        except RemoteError as error:
            reason = f"{error.name}: {error} ({error.where})"
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {error}"
        raise self._failed(reason)

    async def _asked(
        self, auth: StreamAuth, headers: Mapping[str, Any], url: str, address: str
    ) -> Any:
        host = self._hosts[auth.language]
        if not auth.takes_context or self._contexts is None:
            return await host.authenticate({"headers": dict(headers), "url": url})
        path, _, query = url.partition("?")
        client = {
            "headers": dict(headers),
            "path": path,
            "queryParams": parse_qs(query, keep_blank_values=True),
            "addr": address,
        }
        run = Run(
            id=str(uuid.uuid4()),
            step="authenticateStream",
            trigger="event",
            input=client,
            trace=Trace.start(),
        )
        context = self._contexts(run, auth)
        return await completed(host.authenticate_stream(run, context), context)

    def _failed(self, reason: str) -> AuthenticationError:
        file = self._auth.file if self._auth else ""
        logger.info(
            "authenticate refused a client of streams: %s. It is in %s.",
            reason,
            file,
            extra={"action": "stream.authenticate"},
        )
        return AuthenticationError(f"authenticate refused the client: {reason}.", file)
