"""Steps in TypeScript beside the same in Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.benchmarks.arena import Arena
from tests.benchmarks.ours import CELERY, DIRECT
from tests.benchmarks.workloads.chain import CHAIN, OurChain, chaining
from tests.benchmarks.workloads.drain import FULL_COUNT, draining
from tests.benchmarks.workloads.workload import RATES, Contender, Workload

PYTHON = [replace(system, name=f"Python: {system.name}") for system in (DIRECT, CELERY)]
NODE_DRAIN, NODE_CHAIN = (
    [replace(system, name=f"TypeScript: {system.name}", steps=steps) for system in (DIRECT, CELERY)]
    for steps in ("noop_ts", "chain_ts")
)


def _drain(arena: Arena) -> Sequence[Contender]:
    count = arena.scale.count(FULL_COUNT, 500)
    short = NODE_DRAIN[0]
    return [draining(s, count, short=s is short) for s in (*NODE_DRAIN, *PYTHON)]


def _chain(arena: Arena) -> Sequence[Contender]:
    return [chaining(arena, OurChain(s)) for s in (*NODE_CHAIN, *PYTHON)]


DRAIN_NODE = Workload(
    "drain-node",
    "Steps of TypeScript that do nothing",
    "One worker process with its Node process; the same Step in Python beside it.",
    RATES,
    PYTHON[0].name,
    _drain,
)
CHAIN_NODE = Workload(
    "chain-node",
    "The chain in TypeScript",
    "One web process and one worker, each with its Node process; the same chain in Python "
    "beside it.",
    CHAIN.metrics,
    PYTHON[0].name,
    _chain,
)
