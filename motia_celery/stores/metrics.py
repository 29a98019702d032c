"""Totals of all processes in Redis: counts that only grow, and what each process last said."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from motia_celery.stores.redis import reaching
from motia_celery.stores.traffic import Passed, add_traffic

if TYPE_CHECKING:
    import redis

#: A process that has not spoken for so long is gone.
SILENT_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What all processes counted.

    ``started``: for each Step, when its last run was emitted and when it began; ``empty``: when
    its queue was last seen empty; all in epoch milliseconds. ``gauges``: by name, then process.
    """

    counts: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    started: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    empty: Mapping[str, int] = field(default_factory=dict)
    gauges: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class MetricStore:
    """The totals of one prefix.

    Every method raises ``StoreUnavailableError`` when Redis does not answer.
    """

    def __init__(self, client: redis.Redis, prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._counts = f"{prefix}:metrics:counts"
        self._started = f"{prefix}:metrics:started"
        self._empty = f"{prefix}:metrics:empty"
        self._gauges = f"{prefix}:metrics:gauges"
        self._letters = f"{prefix}:metrics:dead-letters"

    def add(
        self,
        counts: Mapping[tuple[str, ...], int],
        started: Mapping[str, tuple[int, int]],
        passed: Mapping[str, Passed] = MappingProxyType({}),
    ) -> None:
        """Adds one process's counts, all or none of them."""
        with reaching(self._client), self._client.pipeline(transaction=True) as pipe:
            for key, count in counts.items():
                pipe.hincrby(self._counts, orjson.dumps(key), count)
            for step, moments in started.items():
                pipe.hset(self._started, step, orjson.dumps(moments))
            add_traffic(pipe, self._prefix, passed)
            pipe.execute()

    def say(self, process: str, gauges: Mapping[str, int]) -> None:
        """Tells what a process has just now."""
        value = orjson.dumps([time.time(), gauges])
        with reaching(self._client):
            self._client.hset(self._gauges, process, value)

    def leave(self, process: str) -> None:
        """Forgets a process that ends."""
        with reaching(self._client):
            self._client.hdel(self._gauges, process)

    def saw_empty(self, steps: Iterable[str]) -> None:
        """Remembers that the queues of these Steps are empty now."""
        now = str(int(time.time() * 1000))
        with reaching(self._client), self._client.pipeline(transaction=False) as pipe:
            for step in steps:
                pipe.hset(self._empty, step, now)
            pipe.execute()

    def swap_dead_letters(self, count: int) -> int | None:
        """Remembers how many dead letters were seen, and gives how many were the last time."""
        with reaching(self._client):
            before = self._client.getset(self._letters, count)
        return None if before is None else int(before)

    def read(self) -> Totals:
        """What all processes counted; those that are gone are forgotten."""
        with reaching(self._client), self._client.pipeline(transaction=False) as pipe:
            for key in (self._counts, self._started, self._empty, self._gauges):
                pipe.hgetall(key)
            counts, started, empty, said = pipe.execute()
        return Totals(
            counts={tuple(orjson.loads(key)): int(count) for key, count in counts.items()},
            started={step.decode(): _pair(value) for step, value in started.items()},
            empty={step.decode(): int(moment) for step, moment in empty.items()},
            gauges=self._present(said),
        )

    def _present(self, said: Mapping[bytes, bytes]) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for process, value in said.items():
            moment, gauges = orjson.loads(value)
            if time.time() - moment > SILENT_SECONDS:
                self.leave(process.decode())
                continue
            for name, count in gauges.items():
                found.setdefault(name, {})[process.decode()] = count
        return found


def _pair(value: bytes) -> tuple[int, int]:
    sent, began = orjson.loads(value)
    return int(sent), int(began)
