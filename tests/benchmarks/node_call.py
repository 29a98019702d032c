"""What a call of a TypeScript handler costs, against a bare Node function on such a socket.

``python tests/benchmarks/node_call.py``. Both run in turns on the loop that workers use; the median
of the rounds' ratios is what to read, since absolute times move with the machine.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from motia_celery.context import Context, Services
from motia_celery.discover import discover
from motia_celery.model.run import Run
from motia_celery.model.trace import Trace
from motia_celery.runtime.frames import encode
from motia_celery.runtime.node import NodeHost, find_node
from motia_celery.runtime.process import HostCommand, Link
from motia_celery.runtime.python import PythonHost
from motia_celery.stores.memory_state import MemoryState

ROUNDS = 15
CALLS = 6_000
IN_FLIGHT = 200

STEP = """
export const config = { type: 'event', name: 'echo', subscribes: ['echo'], emits: [] };
export const handler = async (data: unknown): Promise<unknown> => data;
"""

#: The least that can answer: it reads frames, calls a function, and writes frames.
BARE = """
import net from 'node:net';
const socket = new net.Socket({ fd: Number(process.env.MOTIA_HOST_FD) });
const echo = async (data) => data;
const send = (message) => {
  const body = Buffer.from(JSON.stringify(message));
  const size = Buffer.allocUnsafe(4);
  size.writeUInt32BE(body.length);
  socket.write(Buffer.concat([size, body]));
};
let held = Buffer.alloc(0);
socket.on('data', (chunk) => {
  held = Buffer.concat([held, chunk]);
  while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
    const end = 4 + held.readUInt32BE(0);
    const message = JSON.parse(held.subarray(4, end).toString());
    held = held.subarray(end);
    if (message.type === 'hello') send({ type: 'hello', protocol: message.protocol });
    else echo(message.input).then((value) => send({ type: 'result', id: message.id, value }));
  }
});
socket.on('close', () => process.exit());
"""

Call = Callable[[], Awaitable[Any]]


async def measure(call: Call) -> tuple[float, float]:
    """The median seconds of a lone call, and calls a second with many in flight."""
    alone = []
    for _ in range(CALLS // 20):
        began = time.perf_counter()
        await call()
        alone.append(time.perf_counter() - began)

    async def slot() -> None:
        for _ in range(CALLS // IN_FLIGHT):
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(slot() for _ in range(IN_FLIGHT)))
    return statistics.median(alone), CALLS / (time.perf_counter() - began)


async def main() -> None:
    """Prints both, and their ratios."""
    data = {"id": "o-1", "item": "lamp", "note": "x" * 160}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "steps").mkdir()
        (root / "steps" / "echo.step.ts").write_text(STEP)
        (root / "bare.mjs").write_text(BARE)
        node, python = NodeHost(root), PythonHost(root)
        found = discover(root, python, node)
        services = Services(emitter=None, state=MemoryState())  # type: ignore[arg-type]
        run = Run(id="r", step="echo", trigger="event", input=data, trace=Trace.start())
        program = find_node() or "node"
        command = HostCommand(arguments=[program, str(root / "bare.mjs")], root=root)
        link = await Link.open(command, 1)

        async def through_host() -> Any:
            return await node.call(run, Context(run, found.steps[0], services))

        async def bare() -> Any:
            context = Context(run, found.steps[0], services)  # which any handler gets
            return await link.call({"input": data}, context)  # type: ignore[arg-type]

        assert await through_host() == await bare() == data
        await measure(through_host)  # Node compiles what it runs often
        await measure(bare)
        results = [(await measure(through_host), await measure(bare)) for _ in range(ROUNDS)]
        await node.aclose()
        await link.end()
        python.close()
    _print(results, len(encode({"input": data})))


def _print(results: list[tuple[tuple[float, float], tuple[float, float]]], size: int) -> None:
    print(f"payload {size} bytes, medians of {ROUNDS} rounds: host, bare, ratio")
    for what, column, scale in (("lone call, µs", 0, 1e6), (f"calls/s, {IN_FLIGHT} at once", 1, 1)):
        host, bare = (
            statistics.median(row[side][column] for row in results) * scale for side in (0, 1)
        )
        ratio = statistics.median(row[0][column] / row[1][column] for row in results)
        print(f"{what:<24} {host:8.0f} {bare:8.0f}  {ratio:.2f}")


if __name__ == "__main__":
    uvloop.run(main())
