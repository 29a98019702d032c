"""One Node process for very many calls keeps nothing of them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
from integration.test_node_host import App

CALLS = 20_000
IN_FLIGHT = 100
PAYLOAD = "x" * 10_000  # what is kept of a fifth of the calls would be 40 MB
MEGABYTE = 1 << 20

STEP = """
import { setTimeout as pause } from 'node:timers/promises';

export const config = { type: 'event', name: 'act', subscribes: ['x'], emits: [] };
const acts = {
  echo: (input) => input.load,
  throws: (input) => { throw new Error(input.load); },
  never: () => new Promise(() => {}),
  unawaited: (input, { state, logger }) => {
    state.set('g', 'k', input.load);
    logger.debug('set');
  },
  awaited: async (input, { emit }) => {
    await pause(1);
    await emit({ topic: 't', data: input.load });
  },
};
export const handler = (input, ctx) => acts[input.act](input, ctx);
"""


class Memory:
    """What this process and the Node process hold."""

    def __init__(self, node_pid: int) -> None:
        gc.collect()
        self._taken = [
            (p.memory_info().rss, p.num_fds()) for p in map(psutil.Process, (None, node_pid))
        ]

    def grown(self, before: Memory) -> list[tuple[float, int]]:
        """MB and descriptors more than before, of each."""
        return [
            ((rss - rss_before) / MEGABYTE, fds - fds_before)
            for (rss, fds), (rss_before, fds_before) in zip(self._taken, before._taken, strict=True)
        ]


async def each(count: int, call: Callable[[int], Awaitable[Any]]) -> None:
    numbers = iter(range(count))

    async def slot() -> None:
        for number in numbers:
            await call(number)

    await asyncio.gather(*(slot() for _ in range(IN_FLIGHT)))


async def test_nothing_is_left_of_calls_however_they_end(tmp_path: Any) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "act_step.js").write_text(STEP)
    app = App(tmp_path, memory_mb=96, cancel_grace_seconds=30)
    acts = ("echo", "throws", "never", "unawaited", "awaited")

    async def call(number: int) -> None:
        act = acts[number % len(acts)]
        data = {"act": act, "load": f"{number}{PAYLOAD}"}
        await app.run("act", data, timeout_seconds=0.02 if act == "never" else None)
        app.exchange.events.clear()

    await each(CALLS // 4, call)
    pid = app.node.pid
    before = Memory(pid)
    await each(CALLS, call)
    for megabytes, descriptors in Memory(pid).grown(before):
        assert megabytes < 40
        assert descriptors <= 0
    assert app.node.pid == pid
    await app.node.aclose()
