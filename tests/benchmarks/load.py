"""HTTP clients that keep their connections: ``python -m tests.benchmarks.load '{…}'``.

A process of its own, so that it takes nothing from what is measured but its share of the machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.benchmarks.processes import BrokenRunError

ROOT = Path(__file__).parents[2]
ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Load:
    """``body`` is JSON into which each request's id is put; ``rate`` 0 is as fast as they can."""

    port: int
    method: str
    path: str
    count: int
    clients: int
    rate: float = 0
    body: dict[str, object] | None = None
    seconds: float = 300

    def run(self) -> Loaded:
        """Makes the requests in another process.

        Raises:
            BrokenRunError: one was not answered with success.
        """
        # Not a pipe: uvloop has made it one that does not block, and what did not fit was lost.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.load", json.dumps(asdict(self))],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                timeout=self.seconds,
            )
            if done.returncode:
                raise BrokenRunError(f"{self.method} {self.path}: {done.stderr[-2000:]}")
            output.seek(0)
            return Loaded(**json.loads(output.read()))


@dataclass
class Loaded:
    """When each request began, how long the answers took, and how long all of it took."""

    began: dict[str, float] = field(default_factory=dict)
    answers: list[float] = field(default_factory=list)
    seconds: float = 0


async def make(load: Load) -> Loaded:
    """Makes the requests."""
    loaded = Loaded()
    start = time.time()
    numbers = iter(range(load.count))
    await asyncio.gather(*(_client(load, loaded, numbers, start) for _ in range(load.clients)))
    loaded.seconds = time.time() - start
    return loaded


async def _client(load: Load, loaded: Loaded, numbers: Iterator[int], start: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    for number in numbers:
        if load.rate:
            await asyncio.sleep(max(0, start + number / load.rate - time.time()))
        name = f"{os.getpid():x}-{number}"
        began = loaded.began[name] = time.time()
        writer.write(_request(load, name))
        await asyncio.wait_for(_answer(reader), ANSWER_SECONDS)
        loaded.answers.append(time.time() - began)
    writer.close()


def _request(load: Load, name: str) -> bytes:
    body = b"" if load.body is None else json.dumps({**load.body, "id": name}).encode()
    head = f"{load.method} {load.path} HTTP/1.1\r\nHost: bench\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


async def _answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.find(b"content-length:")
    if length >= 0:
        await reader.readexactly(int(head[length + 15 : head.index(b"\r\n", length)]))
    else:
        while size := int((await reader.readline()).strip(), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    if not head.startswith(b"http/1.1 2"):
        raise RuntimeError(head[:60])


if __name__ == "__main__":
    import uvloop

    print(json.dumps(asdict(uvloop.run(make(Load(**json.loads(sys.argv[1])))))))
