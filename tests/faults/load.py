"""Sends events at a steady pace while faults happen, and knows what became of each.

An event counts as sent once its sender was told so: a 202, or an emit that returned. Whatever
else the sender saw, an error or a broken connection, leaves it free to send again; such an event
may run all the same, and counts for nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx

from motia_celery.broker.publisher import Publisher
from motia_celery.errors import EmitError
from motia_celery.model.event import Event

#: No more than this many events are under way at once, however long an outage is.
_MOST_OPEN = 400
_ANSWER_SECONDS = 60.0


class Load:
    """Events from a thread: each odd one by a request, each even one by an emit.

    ``addresses`` gives the web processes to try in turn: the next one only where a connection is
    refused, as a router does it. Without any, all are emits.
    """

    def __init__(
        self,
        publisher: Publisher,
        addresses: Callable[[], Sequence[str]] = lambda: (),
        *,
        rate: float = 25,
        work: float = 0.05,
        slow: float = 0,
        slow_every: int = 50,
    ) -> None:
        self.sent: set[str] = set()
        self.refused: set[str] = set()
        self.reasons: Counter[str] = Counter()
        self._publisher = publisher
        self._addresses = addresses
        self._pause = 1 / rate
        self._work = work
        self._slow = slow
        self._slow_every = slow_every
        self._numbers = count(1)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send_all()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Returns once every event has an answer."""
        self._stopped.set()
        self._thread.join()

    def burst(self, events: int) -> None:
        """Sends so many events, and returns once each has an answer."""
        asyncio.run(self._burst(events))

    async def _send_all(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(limits=limits, timeout=_ANSWER_SECONDS) as client:
            open_: set[asyncio.Task[None]] = set()
            while not self._stopped.is_set():
                if len(open_) < _MOST_OPEN:
                    task = asyncio.create_task(self._send(client, next(self._numbers)))
                    open_.add(task)
                    task.add_done_callback(open_.discard)
                await asyncio.sleep(self._pause)
            await asyncio.gather(*open_)

    async def _burst(self, events: int) -> None:
        async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as client:
            numbers = [next(self._numbers) for _ in range(events)]
            await asyncio.gather(*(self._send(client, number) for number in numbers))

    async def _send(self, client: httpx.AsyncClient, number: int) -> None:
        token = f"e{number}"
        data = {
            "token": token,
            "work": self._work,
            "fails": number % 10 == 0,
            "slow": self._slow if number % self._slow_every == 0 else 0,
        }
        addresses = self._addresses()
        reason = await (
            self._post(client, addresses, data)
            if addresses and number % 2
            else self._emit(token, data)
        )
        if reason is None:
            self.sent.add(token)
        else:
            self.refused.add(token)
            self.reasons[reason] += 1

    async def _emit(self, token: str, data: dict[str, Any]) -> str | None:
        try:
            await self._publisher.emit(Event(topic="sent", data=data, id=token))
        except EmitError as error:
            return f"emit: {error.what[:60]}"
        return None

    async def _post(
        self, client: httpx.AsyncClient, addresses: Sequence[str], data: dict[str, Any]
    ) -> str | None:
        for address in addresses:
            with suppress(httpx.ConnectError):
                try:
                    answer = await client.post(f"{address}/events", json=data)
                except httpx.ConnectError:
                    raise
                except httpx.TransportError as error:
                    return f"http: {type(error).__name__}"
                return None if answer.status_code == 202 else f"http: {answer.status_code}"
        return "http: connection refused"
