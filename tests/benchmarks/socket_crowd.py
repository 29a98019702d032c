"""Thousands of clients of streams in one process, each as little as is needed to check it."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import time
from typing import Any

import orjson

#: Handshakes at a time, where nothing else is asked for.
AT_ONCE = 200
#: Motia's clients come back after this.
AGAIN_SECONDS = 2.0
_ITEM = re.compile(rb'"n":(\d+),"at":([\d.]+),"id":"(\d+)"')


class Client(asyncio.Protocol):
    """One client; when its connection is lost it takes another."""

    def __init__(self, crowd: Crowd, group: str) -> None:
        self.group = group
        #: The number that it was last told of each item.
        self.state: dict[str, int] = {}
        self.joined = asyncio.Event()
        self._crowd = crowd
        self._buffer = b""
        self._is_open = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._buffer, self._is_open = b"", False
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self.transport.write(
            "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        self.joined.clear()
        self._crowd.lose(self)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self._buffer += data
        if not self._is_open and not self._take_head():
            return
        while (frame := self._take_frame()) is not None:
            opcode, payload = frame
            if opcode == 0x9:
                self._send(0xA, payload)
            elif opcode == 0x1:
                self._hear(payload, now)

    def _take_head(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(head.decode())
        self._buffer, self._is_open = rest, True
        join = {"streamName": "load", "groupId": self.group, "subscriptionId": "1"}
        self._send(0x1, orjson.dumps({"type": "join", "data": join}))
        return True

    def _take_frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        start, size = 2, buffer[1]
        if size > 125:
            start = 4 if size == 126 else 10
            size = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + size:
            return None
        self._buffer = buffer[start + size :]
        return buffer[0] & 0xF, buffer[start : start + size]

    def _hear(self, message: bytes, now: float) -> None:
        is_sync = b'"type":"sync"' in message
        for n, at, id in _ITEM.findall(message):
            self.state[id.decode()] = int(n)
            if not is_sync:
                self._crowd.arrived(int(n), now - float(at))
        if is_sync:
            self.joined.set()

    def _send(self, opcode: int, payload: bytes) -> None:
        size = bytes([0x80 | len(payload)])
        if len(payload) > 125:
            size = bytes([0x80 | 126]) + len(payload).to_bytes(2, "big")
        frame = bytes([0x80 | opcode]) + size + bytes(4) + payload  # masked with zeros
        self.transport.write(frame)


class Crowd:
    """Clients of ``ports``, each of which follows one of so many groups."""

    def __init__(self, ports: list[int], groups: int) -> None:
        self.ports = ports
        self.again_seconds = AGAIN_SECONDS
        self.clients: list[Client] = []
        #: Seconds that each message took.
        self.arrivals: list[float] = []
        #: The number of the newest change that any of them was told.
        self.newest = -1
        self.lost = 0
        self._groups = groups
        self._returning: set[asyncio.Task[None]] = set()
        self._is_over = False

    async def __aenter__(self) -> Crowd:
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._is_over = True
        for task in self._returning:
            task.cancel()
        for client in self.clients:
            client.transport.abort()
        await asyncio.sleep(1)  # so that the web process has forgotten them

    @property
    def away(self) -> int:
        """How many have not joined, or not yet again."""
        return sum(not client.joined.is_set() for client in self.clients)

    async def connect(self, count: int) -> None:
        """Adds clients, and returns once all have joined."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(n: int) -> None:
            client = Client(self, f"g{n % self._groups}")
            self.clients.append(client)
            async with gate:
                await self._open(client, self.ports[n % len(self.ports)])
                await client.joined.wait()

        await asyncio.gather(*map(one, range(count)))

    def arrived(self, n: int, seconds: float) -> None:
        """A client was told a change."""
        self.newest = max(self.newest, n)
        self.arrivals.append(seconds)

    def lose(self, client: Client) -> None:
        """A client lost its connection, and comes back."""
        if self._is_over:
            return
        self.lost += 1
        task = asyncio.create_task(self._return(client))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def _return(self, client: Client) -> None:
        while True:
            await asyncio.sleep(self.again_seconds)
            try:
                await self._open(client, self.ports[0])
                return
            except OSError:
                continue

    async def _open(self, client: Client, port: int) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: client, "127.0.0.1", port)
