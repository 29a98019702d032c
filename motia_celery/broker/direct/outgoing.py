"""Publishing from the handlers' own event loop: no thread, no future of another kind.

What goes this way is plain: an event for everyone, now. The sender's thread takes all else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from kombu import Connection

from motia_celery.broker.direct import frames
from motia_celery.broker.direct.link import PublisherLink
from motia_celery.broker.wire import Message
from motia_celery.process import process_id

logger = logging.getLogger("motia_celery.broker")

_RECONNECT_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)
_LOOK_SECONDS = 0.1
#: The first channel of a connection, and what every broker takes as a frame's body.
_CHANNEL = 1
_FRAME_BYTES = 4096 - 8


class RefusedError(Exception):
    """The broker refused a message, as a full queue does."""


class LateError(Exception):
    """A message was not confirmed in time. ``was_sent``: it may have arrived all the same."""

    def __init__(self, cause: object, *, was_sent: bool) -> None:
        super().__init__(cause)
        self.was_sent = was_sent


class _Parcel:
    """A message that somebody waits for."""

    __slots__ = ("deadline", "done", "frames", "sent")

    def __init__(self, frames: bytes, deadline: float, done: asyncio.Future[None]) -> None:
        self.frames = frames
        self.deadline = deadline
        self.done = done
        self.sent = False

    def settle(self, accepted: bool) -> None:
        """The broker has answered."""
        if self.done.done():
            return
        if accepted:
            self.done.set_result(None)
        else:
            self.done.set_exception(RefusedError())


class Outgoing:
    """Publishes from one event loop, on a connection of its own.

    ``connect`` opens a connection whose topology is declared and whose channel confirms, or
    raises; it runs in a thread. ``log_outage`` is told why messages wait.
    """

    def __init__(
        self, connect: Callable[[], Connection], log_outage: Callable[[object, int], None]
    ) -> None:
        self._connect = connect
        self._log_outage = log_outage
        self._loop = asyncio.get_running_loop()
        self._pid = process_id()
        self._link: PublisherLink | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._fault: object = "no connection"
        #: In their order, those that were sent and those that wait for a connection.
        self._parcels: dict[_Parcel, None] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._closed = False

    def is_of(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether this loop, in this process, may use it."""
        return self._loop is loop and self._pid == process_id() and not self._closed

    @staticmethod
    def can_take(message: Message) -> bool:
        """Whether it is as plain as what goes this way."""
        if message.mandatory or message.delay_seconds:
            return False
        # The sender knows whether the broker has priorities, and says so where it has none.
        return message.properties.get("priority") is None and all(
            type(value) in (str, bool, int) for value in message.headers.values()
        )

    async def publish(self, message: Message, seconds: float) -> None:
        """Returns once the broker has confirmed the message.

        Raises:
            LateError: it did not in so many seconds; what was not sent by then never will be.
            RefusedError: it refused it.
            UnusualError: it can not be sent this way.
        """
        encoded = frames.publish(_CHANNEL, message, _FRAME_BYTES)
        parcel = _Parcel(encoded, time.monotonic() + seconds, self._loop.create_future())
        self._parcels[parcel] = None
        try:
            if self._link is not None:
                self._send(self._link, parcel)
            elif self._connecting is None:
                self._connecting = self._loop.create_task(self._open())
            if self._watch is None:
                self._watch = self._loop.call_later(_LOOK_SECONDS, self._look)
            await parcel.done
        finally:
            self._parcels.pop(parcel, None)

    def close_within(self, seconds: float) -> None:
        """:meth:`close`, from any thread: in another one than the loop's, what waits is sent."""
        if self._pid != process_id() or not self._loop.is_running():
            return
        if _running_loop() is self._loop:
            self.close()
            return
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._drained(), self._loop).result(seconds)
        self._loop.call_soon_threadsafe(self.close)

    async def _drained(self) -> None:
        while self._parcels:
            await asyncio.wait([parcel.done for parcel in self._parcels])
            await asyncio.sleep(0)

    def close(self) -> None:
        """Lets go of the connection; what waits is told that it was not sent."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        if self._link is not None:
            self._link.close()
            self._link = None
        for parcel in list(self._parcels):
            self._fail(parcel, "the process stops")

    def _send(self, link: PublisherLink, parcel: _Parcel) -> None:
        parcel.sent = True
        link.publish(parcel.frames, parcel.settle)

    def _look(self) -> None:
        """Ends the waiting of those whose time is over.

        A broker that answers too late, as under a memory or disk alarm, is not sent more: what is
        in its connection may arrive yet, and nothing that its caller was told has failed.
        """
        self._watch = None
        now = time.monotonic()
        late = [parcel for parcel in self._parcels if parcel.deadline <= now]
        if self._link is not None and any(parcel.sent for parcel in late):
            link, self._link = self._link, None
            link.abandon()
            self._lost("timed out")
        for parcel in late:
            self._fail(parcel, self._fault)
        if self._parcels:
            self._watch = self._loop.call_later(_LOOK_SECONDS, self._look)

    @staticmethod
    def _fail(parcel: _Parcel, cause: object) -> None:
        if not parcel.done.done():
            parcel.done.set_exception(LateError(cause, was_sent=parcel.sent))

    # The connection

    async def _open(self) -> None:
        failures = 0
        while not self._closed:
            try:
                connection = await asyncio.to_thread(self._connect)
                break
            except Exception as error:
                self._fault = error
                self._log_outage(error, failures)
                await asyncio.sleep(_RECONNECT_SECONDS[min(failures, len(_RECONNECT_SECONDS) - 1)])
                failures += 1
        else:
            return
        self._connecting = None
        link = PublisherLink(connection, self._lost)
        self._link = link
        link.start()
        for parcel in list(self._parcels):
            if not parcel.done.done():
                self._send(link, parcel)

    def _lost(self, reason: str) -> None:
        self._link = None
        self._fault = reason
        self._log_outage(reason, 0)
        if self._connecting is None and not self._closed:
            self._connecting = self._loop.create_task(self._open())


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
