"""How long a change takes from ``set`` in a worker to many sockets, and what a socket costs.

``python tests/benchmarks/stream_sockets.py --sockets 5000`` measures one web process, then two of
which one is killed in the middle: its clients come back to the other as Motia's own do, after two
seconds. It fails if a client does not end with what the store holds.

All sockets follow one group, which is the hardest case: every change goes to every socket. The
web processes, the worker, Redis and the sockets' own ends share this machine. With ``--groups 100``
each follows one of so many, and a change goes to 1 %.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import psutil
import uvloop
from socket_crowd import AT_ONCE, Crowd

from motia_celery.settings import load_settings
from motia_celery.stores.embedded import EmbeddedServer
from motia_celery.stores.redis import connect
from motia_celery.stores.streams import RedisStreams

ROOT = Path(__file__).parents[2]
STREAM = 'config = {"name": "load", "baseConfig": {"storageType": "default"}}\n'
START = """
config = {"type": "api", "name": "start", "method": "POST", "path": "/start", "emits": ["write"]}


async def handler(req, context):
    await context.emit(topic="write", data=req["body"])
    return {"status": 202, "body": {}}
"""
#: Each item is set twice: a change that a client missed is not mended by later ones.
WRITE = """
import asyncio
import time

config = {"type": "event", "name": "write", "subscribes": ["write"], "emits": []}


async def handler(data, context):
    for n in range(data["sets"]):
        group, item = n % data["groups"], n // data["groups"] // 2
        at = time.time()
        await context.streams.load.set(f"g{group}", str(item), {"n": n, "at": at})
        await asyncio.sleep(data["pause"])
"""
#: A machine that can not keep up fails after this.
LIMIT_SECONDS = 300.0


class Processes:
    """The app's processes, on a Redis of their own."""

    def __init__(self, folder: Path, redis_url: str, sockets: int) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        (folder / "steps").mkdir()
        files = (("load_stream", STREAM), ("start_step", START), ("write_step", WRITE))
        for name, source in files:
            (folder / "steps" / f"{name}.py").write_text(source)
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MOTIA_REDIS_URL": redis_url,
            "MOTIA_STREAM_SOCKETS_PER_IP": str(sockets + AT_ONCE),
        }

    def start(self, command: str, port: int = 0) -> psutil.Process:
        """Starts ``motia-celery <command>``."""
        process = subprocess.Popen(
            [sys.executable, "-m", "motia_celery", command],
            cwd=self._folder,
            env=self._environment | {"MOTIA_PORT": str(port)},
        )
        self._running.append(process)
        if port:
            self._wait_for(port, process)
        return psutil.Process(process.pid)

    def _wait_for(self, port: int, web: subprocess.Popen[bytes]) -> None:
        while web.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5)
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        sys.exit("the web process ended")

    def close(self) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(60)


async def until(condition: Callable[[], bool], what: str) -> None:
    """Returns once it is true; ends the program if that takes too long."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"after {LIMIT_SECONDS:g} s still not: {what}")
        await asyncio.sleep(0.05)


def start_writing(options: argparse.Namespace, port: int) -> None:
    """A run in the worker begins to set items."""
    wanted = {name: getattr(options, name) for name in ("sets", "groups", "pause")}
    headers = {"content-type": "application/json"}
    url = f"http://127.0.0.1:{port}/start"
    request = urllib.request.Request(url, orjson.dumps(wanted), headers)
    urllib.request.urlopen(request, timeout=30)


async def one_process(options: argparse.Namespace, web: psutil.Process) -> None:
    """Measures a web process that nothing happens to."""
    ports = [options.port]
    async with Crowd(ports, options.groups) as first, Crowd(ports, options.groups) as crowd:
        await first.connect(AT_ONCE)  # what comes with the first is not theirs
        before = web.memory_info().rss
        began = time.monotonic()
        await crowd.connect(options.sockets)
        took = time.monotonic() - began
        cost = (web.memory_info().rss - before) / options.sockets
        print(f"{options.sockets} sockets joined in {took:.1f} s, {cost / 1024:.1f} KiB each")
        used = sum(web.cpu_times()[:2])
        start_writing(options, options.port)
        wanted = options.sets * options.sockets // options.groups
        await until(lambda: len(crowd.arrivals) >= wanted, f"{wanted} messages")
        used = sum(web.cpu_times()[:2]) - used
        print(f"{wanted} messages; CPU {used / wanted * 1e6:.0f} µs each")
        print_times(crowd.arrivals)


async def one_of_two_killed(
    options: argparse.Namespace, streams: RedisStreams, webs: Sequence[psutil.Process]
) -> bool:
    """Kills the first of two web processes, and says whether all its clients have all again."""
    ports = [options.port, options.port + 1]
    async with Crowd(ports, options.groups) as crowd:
        await crowd.connect(options.sockets)
        start_writing(options, ports[1])
        await until(lambda: crowd.newest >= options.sets // 2, "half of the changes")
        crowd.ports.remove(options.port)
        webs[0].send_signal(signal.SIGKILL)
        began = time.monotonic()
        await until(lambda: crowd.lost > 0, "lost connections")
        await until(lambda: crowd.away == 0, "all are back")
        took = time.monotonic() - began
        print(f"{crowd.lost} of {options.sockets} sockets lost their web process; all had a fresh")
        print(f"sync {took:.1f} s later, {crowd.again_seconds:g} s of which is their pause")
        print_times(crowd.arrivals)
        await until(lambda: crowd.newest == options.sets - 1, "the last change")
        return await has_all(crowd, streams)


async def has_all(crowd: Crowd, streams: RedisStreams) -> bool:
    """Whether each client ends with what the store holds."""
    stored = {}
    for group in {client.group for client in crowd.clients}:
        items = await streams.get_group("load", group)
        stored[group] = {item["id"]: item["n"] for item in items}

    def missed() -> int:
        pairs = ((stored[client.group], client.state) for client in crowd.clients)
        return sum(held.get(id) != n for items, held in pairs for id, n in items.items())

    deadline = time.monotonic() + 20  # the last changes are on their way
    while missed() and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    print(f"changes missed in the final state: {missed()}")
    return not missed()


def print_times(arrivals: Sequence[float]) -> None:
    p = statistics.quantiles(arrivals, n=100)
    print(f"from set to receipt: p50 {p[49] * 1000:.0f} ms, p99 {p[98] * 1000:.0f} ms")


async def measure(options: argparse.Namespace, processes: Processes, url: str) -> bool:
    """Both measurements."""
    web = processes.start("web", options.port)
    processes.start("worker")
    await one_process(options, web)
    client = connect(load_settings(environ={}, redis_url=url))
    webs = [web, processes.start("web", options.port + 1)]
    succeeded = await one_of_two_killed(options, RedisStreams(client, "motia"), webs)
    await client.aclose()
    return succeeded


@contextmanager
def running(sockets: int) -> Iterator[tuple[Processes, str]]:
    """What starts the app's processes, and the URL of their Redis."""
    with tempfile.TemporaryDirectory() as name, EmbeddedServer(Path(name, "redis")) as server:
        processes = Processes(Path(name), server.url, sockets)
        try:
            yield processes, server.url
        finally:
            processes.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=5000)
    parser.add_argument("--groups", type=int, default=1)
    parser.add_argument("--sets", type=int, default=50)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two sets")
    parser.add_argument("--port", type=int, default=18127, help="and the next one")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most < options.sockets + 2 * AT_ONCE:
        sys.exit(f"the system allows {most} open files (ulimit -Hn)")
    with running(options.sockets) as (processes, url):
        succeeded = uvloop.run(measure(options, processes, url))
    sys.exit(not succeeded)


if __name__ == "__main__":
    main()
