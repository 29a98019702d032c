"""A connection to RabbitMQ that the handlers' own event loop reads and writes.

py-amqp opens it (addresses, TLS, login); from then on frames go straight between the socket and
the loop, those of one turn of the loop in one write.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kombu import Connection

from motia_celery.broker.direct import frames
from motia_celery.broker.direct.frames import Arrival, FrameReader

logger = logging.getLogger("motia_celery.broker")

_READ_BYTES = 262_144
#: So many messages go out before the others of their turn are made, so that the broker and the
#: handlers work at the same time (of 10 to 100, 20 to 40 brought most: up to 15 in a hundred).
_BATCH = 32
_FINISH_SECONDS = 2.0
#: How long RabbitMQ may take to write what was settled. Under load it keeps settlements back until
#: earlier ones are written, and forgets those as soon as the channel ends, however politely
#: (3.10: of 100 sent at once and followed by the end of the connection, 33 counted).
_SETTLE_SECONDS = 0.5
_WOULD_BLOCK = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Link:
    """One open connection with one channel. All methods are the loop's own.

    ``lost`` is called once, with the reason, when it ends by itself.
    """

    def __init__(self, connection: Connection, lost: Callable[[str], None]) -> None:
        self._connection = connection
        amqp: Any = connection.connection
        self.channel = int(connection.default_channel.channel_id)
        self._socket: Any = amqp.transport.sock
        self._heartbeat: float = amqp.heartbeat or 0
        self._early: bytes = bytes(getattr(amqp.transport, "_read_buffer", b""))
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader(self._arrived, self._told)
        self._lost = lost
        self._out: list[bytes] = []
        self._unsent = b""
        self._heard = time.monotonic()
        self._has_flush = self._waits_to_send = False
        self._timer: asyncio.TimerHandle | None = None
        self._finished: asyncio.Future[None] | None = None
        self.is_open = True

    def start(self) -> None:
        """Takes the socket over."""
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket.fileno(), self._readable)
        if self._heartbeat:
            self._timer = self._loop.call_later(self._heartbeat / 2, self._beat)
        if self._early:
            self._loop.call_soon(self._take, self._early)

    def write(self, frame: bytes) -> None:
        """Sends a frame at the end of this turn of the loop."""
        self._out.append(frame)
        self._soon()

    def close(self) -> None:
        """Sends what waits, and ends the connection."""
        if self.is_open:
            self._flush()
            self._end()

    async def finish(self) -> None:
        """Ends the connection once the broker has read all; what is unsettled goes back to its
        queue.
        """
        if not self.is_open:
            return
        # A socket that is closed with something unread in it takes with it what was sent last.
        self._finished = self._loop.create_future()
        self.write(frames.method(0, frames.CONNECTION_CLOSE, frames.GOODBYE))
        with suppress(TimeoutError):
            async with asyncio.timeout(_FINISH_SECONDS):
                await self._finished
        self._end()

    # What the two kinds of links do each in their own way

    def _arrived(self, arrival: Arrival) -> None:
        """A delivery came."""

    def _answered(self, method: int, arguments: bytes) -> None:
        """A method came that does not concern the connection itself."""

    def _collect(self) -> None:
        """Adds frames to what is about to be sent."""

    # Out

    def _soon(self) -> None:
        if not self._has_flush:
            self._has_flush = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._has_flush = False
        if not self.is_open:
            return
        self._collect()
        if self._out:
            self._unsent += b"".join(self._out)
            self._out.clear()
        if self._unsent:
            self._send()

    def _send(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except _WOULD_BLOCK:
            sent = 0
        except OSError as error:
            self._fail(str(error))
            return
        self._unsent = self._unsent[sent:]
        if self._unsent and not self._waits_to_send:
            self._loop.add_writer(self._socket.fileno(), self._send)
        elif not self._unsent and self._waits_to_send:
            self._loop.remove_writer(self._socket.fileno())
        self._waits_to_send = bool(self._unsent)

    # In

    def _readable(self) -> None:
        while self.is_open:
            try:
                data = self._socket.recv(_READ_BYTES)
            except _WOULD_BLOCK:
                return
            except OSError as error:
                self._fail(str(error))
                return
            if not data:
                self._fail("the broker closed it")
                return
            self._take(data)
            # What TLS has decrypted already would not wake the loop again.
            if not (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()):
                return

    def _take(self, data: bytes) -> None:
        self._heard = time.monotonic()
        try:
            self._reader.feed(data)
        except Exception as error:  # what can not be read can not be gone on from
            logger.exception("A frame can not be read", extra={"action": "broker.unreadable"})
            self._fail(repr(error))

    def _told(self, method: int, arguments: bytes) -> None:
        if method == frames.CONNECTION_CLOSE:
            self.write(frames.method(0, frames.CONNECTION_CLOSE_OK))
            self._flush()
            self._fail(frames.close_reason(arguments))
        elif method == frames.CONNECTION_CLOSE_OK:
            self._fail("closed")
        elif method == frames.CHANNEL_CLOSE:
            self._fail(frames.close_reason(arguments))
        elif method == frames.CANCEL:
            self._fail("the broker cancelled a consumer, as when its queue is deleted")
        else:
            self._answered(method, arguments)

    def _beat(self) -> None:
        if not self.is_open:
            return
        if time.monotonic() - self._heard > 2 * self._heartbeat:
            self._fail("no heartbeat of the broker")
            return
        self.write(frames.HEARTBEAT)
        self._timer = self._loop.call_later(self._heartbeat / 2, self._beat)

    # The end

    def _fail(self, reason: str) -> None:
        if not self.is_open:
            return
        self._end()
        if self._finished is None:
            self._lost(reason)
        elif not self._finished.done():
            self._finished.set_result(None)

    def _end(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
        descriptor = self._socket.fileno()
        if descriptor >= 0:
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._connection.collect(socket_timeout=0.1)


class ConsumerLink(Link):
    """A link that deliveries come by; each is to be settled by ``ack`` or ``reject``.

    ``arrived`` gets each delivery.
    """

    def __init__(
        self,
        connection: Connection,
        arrived: Callable[[ConsumerLink, Arrival], None],
        lost: Callable[[str], None],
    ) -> None:
        super().__init__(connection, lost)
        self._deliver = arrived
        #: The deliveries that the broker waits for, in order, and whether each may be settled.
        self._unsettled: dict[int, bool] = {}
        self._settled: list[int] = []
        self._settled_at = 0.0

    async def finish(self) -> None:
        """The same as a link's, once what was settled had its time to be written."""
        while self.is_open and (early := self._settled_at + _SETTLE_SECONDS - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(early)
        await super().finish()

    def consume(self, queue: str, prefetch: int) -> None:
        """Starts consuming a queue; its name is the consumer's."""
        self.write(frames.qos(self.channel, prefetch))
        self.write(frames.consume(self.channel, queue, queue))

    def cancel(self, queue: str) -> None:
        """Stops consuming it; what was delivered stays."""
        self.write(frames.cancel(self.channel, queue))

    def ack(self, tag: int) -> None:
        """Acknowledges a delivery, together with the others of this turn of the loop."""
        if self.is_open:
            self._unsettled[tag] = True
            self._settled.append(tag)
            self._soon()

    def reject(self, tag: int, *, requeue: bool) -> None:
        """Gives a delivery back, or makes a dead letter of it."""
        if self.is_open and tag in self._unsettled:
            del self._unsettled[tag]
            self.write(frames.reject(self.channel, tag, requeue=requeue))

    def _arrived(self, arrival: Arrival) -> None:
        self._unsettled[arrival.tag] = False
        self._deliver(self, arrival)

    def _collect(self) -> None:
        """One frame acknowledges all up to the first delivery that is not settled."""
        unsettled, upto = self._unsettled, 0
        if self._settled:
            self._settled_at = time.monotonic()
        for tag, done in unsettled.items():
            if not done:
                break
            upto = tag
        if upto:
            self._out.append(frames.ack(self.channel, upto, multiple=True))
        for tag in self._settled:
            if unsettled.pop(tag, False) and tag > upto:
                self._out.append(frames.ack(self.channel, tag))
        self._settled.clear()


#: What settles a message: True says that the broker has it, False that it refuses it.
Settle = Callable[[bool], None]


class PublisherLink(Link):
    """A link that messages go out by, each with a confirm of its own."""

    def __init__(self, connection: Connection, lost: Callable[[str], None]) -> None:
        super().__init__(connection, lost)
        self._sequence = 0
        #: What is called with each confirm, by the number of the message, in order.
        self._unconfirmed: dict[int, Settle] = {}

    def publish(self, frame: bytes, settle: Settle) -> None:
        """Sends a message; ``settle`` gets True with its confirm, False if it is refused.

        At once if the broker has confirmed all others, else with a batch of those of this turn of
        the loop.
        """
        is_idle = not self._unconfirmed
        self._sequence += 1
        self._unconfirmed[self._sequence] = settle
        self._out.append(frame)
        if is_idle or len(self._out) >= _BATCH:
            self._flush()
        else:
            self._soon()

    def abandon(self) -> None:
        """Ends the connection at once; what was not sent never is."""
        if self.is_open:
            self._out.clear()
            self._end()

    def _answered(self, method: int, arguments: bytes) -> None:
        if method not in (frames.ACK, frames.NACK):
            return
        tag, accepted = int.from_bytes(arguments[:8], "big"), method == frames.ACK
        waiting = self._unconfirmed
        if not arguments[8] & 1:
            if settle := waiting.pop(tag, None):
                settle(accepted)
            return
        done = []
        for number in waiting:
            if number > tag:
                break
            done.append(number)
        for number in done:
            waiting.pop(number)(accepted)
