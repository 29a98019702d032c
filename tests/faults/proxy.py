"""A TCP proxy that can fall silent, as a cut cable does, and reset what goes through it."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress

#: Closing sends a reset instead of a polite end.
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Leads ``127.0.0.1:<port>`` to a port of a server, from a thread of its own."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._passing = asyncio.Event()
        self._passing.set()
        self._flows: set[_Flow] = set()
        self._left: list[asyncio.StreamWriter] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Nothing passes any more, in both directions; nobody is told."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def heal(self, *, server_knows: bool = True) -> None:
        """Resets the connections of before, and passes new ones.

        With ``server_knows`` false only the clients' ends are reset: the server finds out by its
        heartbeats alone, and holds what it had delivered until then.
        """
        self._call(self._heal(server_knows))

    def close(self) -> None:
        """Ends everything."""
        self._call(self._heal(True))
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def _call(self, coroutine: asyncio._CoroutineLike) -> object:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    async def _heal(self, server_knows: bool) -> None:
        for flow in [*self._flows]:
            flow.reset(server_knows=server_knows)
            if flow.server is not None and not server_knows:
                self._left.append(flow.server)  # else it would be closed as garbage
        self._passing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flow = _Flow(self._passing, reader, writer)
        self._flows.add(flow)
        try:
            await flow.run(self._target)
        finally:
            self._flows.discard(flow)


class _Flow:
    """One connection and what it leads to."""

    def __init__(
        self, passing: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._passing = passing
        self._reader = reader
        self._writer = writer
        self._task = asyncio.current_task()
        self.server: asyncio.StreamWriter | None = None

    async def run(self, port: int) -> None:
        """Passes both ways until an end closes, or it is reset."""
        pumps: list[asyncio.Task[None]] = []
        try:
            await self._passing.wait()
            answers, self.server = await asyncio.open_connection("127.0.0.1", port)
            pumps += [
                asyncio.create_task(self._pump(self._reader, self.server)),
                asyncio.create_task(self._pump(answers, self._writer)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            self.server.close()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            self._writer.close()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._passing.wait()
                target.write(data)
                await target.drain()

    def reset(self, *, server_knows: bool) -> None:
        """Ends it at once; what it held is gone."""
        for end in (self._writer, self.server if server_knows else None):
            if end is not None:
                with suppress(OSError):
                    raw = end.transport.get_extra_info("socket")
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.transport.abort()
        if self._task is not None:
            self._task.cancel()
