"""How long a change takes from ``set`` in one process to many sockets, and what a socket costs.

``python tests/benchmarks/stream_sockets.py --sockets 5000``. All sockets follow one group, which is
the hardest case: every change goes to every socket. Server, writer, Redis and the sockets' own ends
share this machine. With ``--groups 100`` each follows one of so many, and a change goes to 1 %.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import re
import resource
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import uvloop

from motia_celery.settings import load_settings
from motia_celery.stores.embedded import EmbeddedServer
from motia_celery.stores.redis import connect
from motia_celery.stores.streams import RedisStreams

ROOT = Path(__file__).parents[2]
STREAM = 'config = {"name": "load", "baseConfig": {"storageType": "default"}}\n'
SENT = re.compile(rb'"at":([\d.]+)')
AT_ONCE = 200


class Client(asyncio.Protocol):
    """The client's end of one socket, as little as is needed to count."""

    def __init__(self, group: str, arrivals: list[float]) -> None:
        self.group = group
        self.arrivals = arrivals
        self.joined = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self.transport.write(
            "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.time()
        if data.startswith(b"HTTP/1.1 101"):
            join = {"streamName": "load", "groupId": self.group, "subscriptionId": "1"}
            self._send(0x81, json.dumps({"type": "join", "data": join}).encode())
        if b'"sync"' in data and not self.joined.done():
            self.joined.set_result(None)
        self.arrivals.extend(now - float(at) for at in SENT.findall(data))
        if data[0] == 0x89:  # a ping, alone in its packet as good as always
            self._send(0x8A, data[2 : 2 + data[1]])

    def _send(self, opcode: int, payload: bytes) -> None:
        size = bytes([0x80 | len(payload)])
        if len(payload) > 125:
            size = bytes([0x80 | 126]) + len(payload).to_bytes(2, "big")
        self.transport.write(bytes([opcode]) + size + bytes(4) + payload)  # masked with zeros


async def write(url: str, count: int, groups: int, pause: float) -> None:
    """The other process: it sets an item, again and again."""
    client = connect(load_settings(environ={}, redis_url=url))
    streams = RedisStreams(client, "motia")
    for n in range(count):
        await streams.set("load", f"g{n % groups}", "1", {"n": n, "at": time.time()})
        await asyncio.sleep(pause)
    await client.aclose()


async def connect_all(port: int, sockets: int, groups: int, arrivals: list[float]) -> None:
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> None:
        async with gate:
            _, client = await loop.create_connection(
                lambda: Client(f"g{n % groups}", arrivals), "127.0.0.1", port
            )
            await client.joined

    await asyncio.gather(*(one(n) for n in range(sockets)))


async def measure(options: argparse.Namespace, url: str, port: int, web: psutil.Process) -> None:
    arrivals: list[float] = []
    await connect_all(port, AT_ONCE, options.groups, [])  # what comes with the first is not theirs
    before = web.memory_info().rss
    began = time.monotonic()
    await connect_all(port, options.sockets, options.groups, arrivals)
    took = time.monotonic() - began
    cost = (web.memory_info().rss - before) / options.sockets
    arrivals.clear()
    used = sum(web.cpu_times()[:2])
    command = [sys.executable, __file__, "--write", url]
    command += [f"--{name}={getattr(options, name)}" for name in ("sets", "groups", "pause")]
    writer = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    wanted = options.sets * options.sockets // options.groups
    deadline = time.monotonic() + 300
    while len(arrivals) < wanted and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    writer.wait()
    used = sum(web.cpu_times()[:2]) - used
    p = statistics.quantiles(arrivals, n=100)
    print(f"{options.sockets} sockets joined in {took:.1f} s, {cost / 1024:.1f} KiB each")
    print(f"{len(arrivals)} of {wanted} messages; CPU {used / len(arrivals) * 1e6:.0f} µs each")
    print(f"from set to receipt: p50 {p[49] * 1000:.0f} ms, p99 {p[98] * 1000:.0f} ms")


def wait_for(port: int, web: subprocess.Popen[bytes]) -> None:
    """Returns once the web process answers."""
    while web.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("the web process ended")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=5000)
    parser.add_argument("--groups", type=int, default=1)
    parser.add_argument("--sets", type=int, default=50)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two sets")
    parser.add_argument("--port", type=int, default=38127)
    parser.add_argument("--write", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        asyncio.run(write(options.write, options.sets, options.groups, options.pause))
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most < options.sockets + AT_ONCE + 100:
        sys.exit(f"the system allows {most} open files (ulimit -Hn)")
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder, "redis")) as server:
        (Path(folder) / "steps").mkdir()
        (Path(folder) / "steps" / "load_stream.py").write_text(STREAM)
        environment = {
            "PYTHONPATH": str(ROOT),
            "MOTIA_REDIS_URL": server.url,
            "MOTIA_PORT": str(options.port),
            "MOTIA_STREAM_SOCKETS_PER_IP": str(options.sockets + AT_ONCE),
        }
        command = [sys.executable, "-m", "motia_celery", "web"]
        web = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment})
        try:
            wait_for(options.port, web)
            uvloop.run(measure(options, server.url, options.port, psutil.Process(web.pid)))
        finally:
            web.terminate()
            web.wait(60)


if __name__ == "__main__":
    main()
