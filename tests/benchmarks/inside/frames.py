"""Publishes copies of one message whose frames were made beforehand: ``frames.py COUNT FLIGHT``.

No client is behind it, so its rate is what RabbitMQ itself takes from one connection.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from urllib.parse import urlsplit

import amqp
import orjson
from bench_ticks import PAYLOAD, tick
from publish import LINGER_SECONDS

QUEUE = "bench"
READ_BYTES = 65_536
END = b"\xce"
#: The frame of basic.ack: its head, class and method, the tag, whether all before are meant.
ACK = struct.Struct(">BHIHHQBc")


def main() -> None:
    """Publishes, and waits until it is killed, so that its processor time can be read."""
    count, flight = map(int, sys.argv[1:])
    url = urlsplit(os.environ["BENCH_BROKER"])
    vhost = url.path[1:].replace("%2F", "/")
    with amqp.Connection(f"{url.hostname}:{url.port}", virtual_host=vhost) as connection:
        channel = connection.channel()
        arguments = {"x-queue-type": "quorum"}
        channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments=arguments)
        channel.confirm_select()
        _publish(connection.transport.sock, _frames(channel.channel_id), count, flight)
        time.sleep(LINGER_SECONDS)


def _frames(channel: int) -> bytes:
    """A whole publish: the method, the properties, the data."""
    data = orjson.dumps(PAYLOAD)
    message = amqp.Message(
        "", content_type="application/json", delivery_mode=2, message_id="0" * 36
    )
    method = struct.pack(f">HHHBB{len(QUEUE)}sB", 60, 40, 0, 0, len(QUEUE), QUEUE.encode(), 0)
    header = struct.pack(">HHQ", 60, 0, len(data)) + message._serialize_properties()
    parts = enumerate((method, header, data), 1)
    return b"".join(struct.pack(">BHI", k, channel, len(part)) + part + END for k, part in parts)


def _publish(sock: socket.socket, frames: bytes, count: int, flight: int) -> None:
    sock.settimeout(60)
    sent = 0
    waiting: dict[int, None] = {}
    rest = b""
    while sent < count or waiting:
        free = min(flight - len(waiting), count - sent)
        sock.sendall(frames * free)
        waiting.update(dict.fromkeys(range(sent + 1, sent + free + 1)))
        sent += free
        rest += sock.recv(READ_BYTES)
        whole = len(rest) // ACK.size * ACK.size
        for *_, tag, multiple, _ in ACK.iter_unpack(rest[:whole]):
            _confirm(waiting, tag, multiple)
        rest = rest[whole:]


def _confirm(waiting: dict[int, None], upto: int, multiple: int) -> None:
    first = next(iter(waiting)) if multiple else upto
    for tag in range(first, upto + 1):
        if tag in waiting:
            del waiting[tag]
            tick()


if __name__ == "__main__":
    main()
