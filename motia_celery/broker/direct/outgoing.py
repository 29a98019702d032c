"""Publishing from the handlers' own event loop: no thread, no future of another kind.

What goes this way is plain: an event for everyone, now. The sender's thread takes all else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from threading import get_ident

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


Explain = Callable[[Message, LateError | RefusedError], Exception]
Parcels = dict["_Parcel", None]


class _Parcel:
    """A message that somebody waits for; ``arrived`` is called once the broker has it."""

    __slots__ = ("arrived", "deadline", "done", "explain", "frames", "message", "parcels", "sent")

    def __init__(
        self,
        message: Message,
        frames: bytes,
        deadline: float,
        done: asyncio.Future[bool],
        parcels: Parcels,
        arrived: Callable[[], None] | None,
        explain: Explain,
    ) -> None:
        self.message = message
        self.frames = frames
        self.deadline = deadline
        self.done = done
        self.parcels = parcels
        self.arrived = arrived
        self.explain = explain
        self.sent = False
        parcels[self] = None

    def settle(self, accepted: bool) -> None:
        """The broker has answered."""
        self.parcels.pop(self, None)
        if accepted and self.arrived is not None:
            self.arrived()
        if self.done.done():
            return
        if accepted:
            self.done.set_result(True)
        else:
            self.done.set_exception(self.explain(self.message, RefusedError()))

    def fail(self, cause: object) -> None:
        """Nobody waits for the broker any longer."""
        self.parcels.pop(self, None)
        if not self.done.done():
            late = LateError(cause, was_sent=self.sent)
            self.done.set_exception(self.explain(self.message, late))


class Outgoing:
    """Publishes from one event loop, on a connection of its own.

    ``connect`` opens a connection whose topology is declared and whose channel confirms, or
    raises; it runs in a thread. ``log_outage`` is told why messages wait. ``explain`` makes the
    error that the sender of a message gets.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        log_outage: Callable[[object, int], None],
        explain: Explain = lambda _, error: error,
    ) -> None:
        self._connect = connect
        self._explain = explain
        self._log_outage = log_outage
        self._loop = asyncio.get_running_loop()
        self._thread, self._pid = get_ident(), process_id()
        self._link: PublisherLink | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._fault: object = "no connection"
        #: In their order, those that were sent and those that wait for a connection.
        self._parcels: Parcels = {}
        self._watch: asyncio.TimerHandle | None = None
        self._closed = False

    def is_here(self) -> bool:
        """Whether the caller is on its loop, in its process."""
        # Asking for the running loop asks the kernel for the process's id, before Python 3.12.
        here = self._thread == get_ident() and self._pid == process_id()
        return here and self._loop.is_running() and not self._closed

    @staticmethod
    def can_take(message: Message) -> bool:
        """Whether it is as plain as what goes this way."""
        if message.mandatory or message.delay_seconds:
            return False
        # The sender knows whether the broker has priorities, and says so where it has none.
        return message.properties.get("priority") is None

    def publish(
        self, message: Message, seconds: float, arrived: Callable[[], None] | None = None
    ) -> asyncio.Future[bool]:
        """Sends the message; the future is True once the broker has confirmed it.

        It fails with what ``explain`` makes of a LateError, where it was not confirmed in so many
        seconds (what was not sent by then never will be), or of a RefusedError.

        Raises:
            UnusualError: it can not be sent this way.
        """
        encoded = frames.publish(_CHANNEL, message, _FRAME_BYTES)
        deadline, done = time.monotonic() + seconds, self._loop.create_future()
        parcel = _Parcel(message, encoded, deadline, done, self._parcels, arrived, self._explain)
        if self._link is not None:
            self._send(self._link, parcel)
        elif self._connecting is None:
            self._connecting = self._loop.create_task(self._open())
        if self._watch is None:
            self._watch = self._loop.call_later(_LOOK_SECONDS, self._look)
        return done

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
            parcel.fail("the process stops")

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
        # For one whose sender was cancelled nobody waits.
        if self._link is not None and any(one.sent and not one.done.done() for one in late):
            link, self._link = self._link, None
            link.abandon()
            self._lost("timed out")
        for parcel in late:
            parcel.fail(self._fault)
        if self._parcels:
            self._watch = self._loop.call_later(_LOOK_SECONDS, self._look)

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
            if parcel.done.done():  # its sender was cancelled
                del self._parcels[parcel]
            else:
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
