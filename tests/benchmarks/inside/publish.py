"""Publishes with a system's own client: ``publish.py MODULE seed TASK``, ``emit COUNT FLIGHT``
or ``latency COUNT``. ``MODULE`` has ``send``, and ``connected`` where that is asynchronous."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from bench_ticks import PAUSE_SECONDS, PAYLOAD, tick

#: Until it is killed, so that its processor time can be read.
LINGER_SECONDS = 600


def main() -> None:
    """Does what the command line says."""
    module = importlib.import_module(sys.argv[1])
    action, arguments = sys.argv[2], sys.argv[3:]
    if asyncio.iscoroutinefunction(module.send):
        import uvloop

        uvloop.run(_asynchronous(module, action, arguments))
    else:
        _synchronous(module, action, arguments)


async def _asynchronous(module: Any, action: str, arguments: list[str]) -> None:
    async with module.connected():
        if action == "seed":
            await module.send(arguments[0], PAYLOAD)
        elif action == "emit":
            count, flight = map(int, arguments)
            turns = iter(range(count))
            await asyncio.gather(*(_emit_async(module, turns) for _ in range(flight)))
            await asyncio.sleep(LINGER_SECONDS)
        else:
            for _ in range(int(arguments[0])):
                await module.send("stamp", {**PAYLOAD, "sent": time.time()})
                await asyncio.sleep(PAUSE_SECONDS)


async def _emit_async(module: Any, turns: Iterator[int]) -> None:
    for _ in turns:
        await module.send("noop", PAYLOAD)
        tick()


def _synchronous(module: Any, action: str, arguments: list[str]) -> None:
    if action == "seed":
        module.send(arguments[0], PAYLOAD)
    elif action == "emit":
        count, flight = map(int, arguments)
        threads = [
            threading.Thread(target=_emit, args=(module, count // flight)) for _ in range(flight)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(LINGER_SECONDS)
    else:
        for _ in range(int(arguments[0])):
            module.send("stamp", {**PAYLOAD, "sent": time.time()})
            time.sleep(PAUSE_SECONDS)


def _emit(module: Any, count: int) -> None:
    for _ in range(count):
        module.send("noop", PAYLOAD)
        tick()


if __name__ == "__main__":
    main()
