"""A connection to RabbitMQ that the handlers' own event loop reads and writes.

py-amqp opens it (addresses, TLS, login); from then on frames go straight between the socket and
the loop, the acknowledgements of one turn of the loop in one write.
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
_WOULD_BLOCK = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Link:
    """One open connection with one channel, for consuming. All methods are the loop's own.

    ``arrived`` gets each delivery, ``lost`` is called once, with the reason, when it ends.
    """

    def __init__(
        self,
        connection: Connection,
        arrived: Callable[[Arrival], None],
        lost: Callable[[str], None],
    ) -> None:
        self._connection = connection
        amqp: Any = connection.connection
        self._channel = int(connection.default_channel.channel_id)
        self._socket: Any = amqp.transport.sock
        self._heartbeat: float = amqp.heartbeat or 0
        self._early: bytes = bytes(getattr(amqp.transport, "_read_buffer", b""))
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader(arrived, self._told)
        self._lost = lost
        self._out: list[bytes] = []
        self._unsent = b""
        self._heard = time.monotonic()
        self._unsettled: dict[int, bool] = {}
        self._settled: list[int] = []
        self._has_flush = self._waits_to_send = False
        self._timer: asyncio.TimerHandle | None = None
        self.is_open = True

    def start(self) -> None:
        """Takes the socket over."""
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket.fileno(), self._readable)
        if self._heartbeat:
            self._timer = self._loop.call_later(self._heartbeat / 2, self._beat)
        if self._early:
            self._loop.call_soon(self._take, self._early)

    def consume(self, queue: str, prefetch: int) -> None:
        """Starts consuming a queue; its name is the consumer's."""
        self._write(frames.qos(self._channel, prefetch))
        self._write(frames.consume(self._channel, queue, queue))

    def cancel(self, queue: str) -> None:
        """Stops consuming it; what was delivered stays."""
        self._write(frames.cancel(self._channel, queue))

    def received(self, tag: int) -> None:
        """Notes a delivery, which is to be settled by ``ack`` or ``reject``."""
        self._unsettled[tag] = False

    def ack(self, tag: int) -> None:
        """Acknowledges a delivery, together with the others of this turn of the loop."""
        if not self.is_open:
            return
        self._unsettled[tag] = True
        self._settled.append(tag)
        self._soon()

    def reject(self, tag: int, *, requeue: bool) -> None:
        """Gives a delivery back, or makes a dead letter of it."""
        if self.is_open and tag in self._unsettled:
            del self._unsettled[tag]
            self._write(frames.reject(self._channel, tag, requeue=requeue))

    def close(self) -> None:
        """Sends what waits, and ends the connection; what is unsettled goes back to its queue."""
        if self.is_open:
            self._flush()
            self._end()

    # Out

    def _soon(self) -> None:
        if not self._has_flush:
            self._has_flush = True
            self._loop.call_soon(self._flush)

    def _write(self, frame: bytes) -> None:
        self._out.append(frame)
        self._soon()

    def _flush(self) -> None:
        self._has_flush = False
        if not self.is_open:
            return
        self._collect_acks()
        if self._out:
            self._unsent += b"".join(self._out)
            self._out.clear()
        if self._unsent:
            self._send()

    def _collect_acks(self) -> None:
        """One frame acknowledges all up to the first delivery that is not settled."""
        unsettled, upto = self._unsettled, 0
        for tag, done in unsettled.items():
            if not done:
                break
            upto = tag
        if upto:
            for tag in self._settled:
                if tag <= upto:
                    unsettled.pop(tag, None)
            self._out.append(frames.ack(self._channel, upto, multiple=True))
        for tag in self._settled:
            if tag > upto and unsettled.pop(tag, False):
                self._out.append(frames.ack(self._channel, tag))
        self._settled.clear()

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
            self._write(frames.method(0, frames.CONNECTION_CLOSE_OK))
            self._flush()
            self._fail(frames.close_reason(arguments))
        elif method == frames.CHANNEL_CLOSE:
            self._fail(frames.close_reason(arguments))
        elif method == frames.CANCEL:
            self._fail("the broker cancelled a consumer, as when its queue is deleted")

    def _beat(self) -> None:
        if not self.is_open:
            return
        if time.monotonic() - self._heard > 2 * self._heartbeat:
            self._fail("no heartbeat of the broker")
            return
        self._write(frames.HEARTBEAT)
        self._timer = self._loop.call_later(self._heartbeat / 2, self._beat)

    # The end

    def _fail(self, reason: str) -> None:
        if self.is_open:
            self._end()
            self._lost(reason)

    def _end(self) -> None:
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
