"""What came to each Step and what began, of late: written each second by whoever sends or runs.

Each process adds what it counted as one entry to the Step's log, so the log is in the order of
time, and what waits in a queue are the last messages that were sent to it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from motia_celery.stores.redis import reaching

if TYPE_CHECKING:
    import redis

#: Rates are of so many seconds.
WINDOW_SECONDS: Final = 10
#: Entries that are kept of a Step. One is a second of one process.
KEPT: Final = 1000
_KEPT_SECONDS: Final = 30 * 86400
_RATES_AT_MOST: Final = 500

_Entry = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Passed:
    """What one process sent to a Step, the first of it at ``first_ms``, and began of it."""

    sent: int
    first_ms: int
    begun: int

    def __add__(self, later: Passed) -> Passed:
        first = self if self.sent else later
        return Passed(self.sent + later.sent, first.first_ms, self.begun + later.begun)


NOTHING: Final = Passed(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Since:
    """From when on something waits; ``is_bound``: not longer, maybe less long."""

    ms: float
    is_bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What is known of a Step's messages. ``sends`` has the newest first, as far as was asked for.

    ``floor_ms``: whatever waits was sent after that.
    """

    sent_per_second: float
    begun_per_second: float
    sends: Sequence[Passed] = ()
    floor_ms: float | None = None

    def oldest(self, waiting: int) -> Since | None:
        """Since when the oldest of so many messages waits; None if nothing tells."""
        sent = self._sent(waiting)
        if self.floor_ms is None:
            return None if sent is None else Since(sent, is_bound=False)
        # Other services send too, and nobody counts those.
        if sent is None or sent < self.floor_ms:
            return Since(self.floor_ms, is_bound=True)
        return Since(sent, is_bound=False)

    def _sent(self, waiting: int) -> float | None:
        """When the last but so many of the known messages was sent."""
        left = waiting
        for entry in self.sends:
            left -= entry.sent
            if left <= 0:
                return entry.first_ms
        return None


def add_traffic(pipe: Any, prefix: str, traffic: Mapping[str, Passed]) -> None:
    """Adds what a process counted, by Step, to a pipeline."""
    for step, passed in traffic.items():
        key = _key(prefix, step)
        fields = {"n": passed.sent, "f": passed.first_ms, "b": passed.begun}
        pipe.xadd(key, fields, maxlen=KEPT, approximate=True)
        pipe.expire(key, _KEPT_SECONDS)


def read_traffic(
    client: redis.Redis, prefix: str, waiting: Mapping[str, int]
) -> dict[str, Traffic]:
    """The traffic of each Step; ``sends`` of those that have something ``waiting``.

    Raises:
        StoreUnavailableError: Redis does not answer.
    """
    steps = tuple(waiting)
    with reaching(client), client.pipeline(transaction=False) as pipe:
        start = _server_ms(client) - WINDOW_SECONDS * 1000
        pipe.hmget(f"{prefix}:metrics:started", ["", *steps])
        pipe.hmget(f"{prefix}:metrics:empty", ["", *steps])
        for step in steps:
            if waiting[step]:
                pipe.xrevrange(_key(prefix, step), count=KEPT)
            else:
                pipe.xrevrange(_key(prefix, step), min=start, count=_RATES_AT_MOST)
        started, empty, *logs = pipe.execute()
    floors = [_floor(*pair) for pair in zip(started[1:], empty[1:], strict=True)]
    return {
        step: _traffic(log, start, floor)
        for step, log, floor in zip(steps, logs, floors, strict=True)
    }


def _traffic(log: list[tuple[bytes, _Entry]], start: int, floor: float | None) -> Traffic:
    entries = [(int(id.partition(b"-")[0]), _passed(fields)) for id, fields in log]
    late = [entry for at, entry in entries if at >= start]
    return Traffic(
        sent_per_second=_rate(entry.sent for entry in late),
        begun_per_second=_rate(entry.begun for entry in late),
        sends=[entry for _, entry in entries if entry.sent],
        floor_ms=floor,
    )


def _floor(started: bytes | None, empty: bytes | None) -> float | None:
    """What is taken from a queue was sent before all that is left in it."""
    moments = [] if started is None else [float(orjson.loads(started)[0])]
    if empty is not None:
        moments.append(float(empty))
    return max(moments, default=None)


def _rate(counts: Iterable[int]) -> float:
    return sum(counts) / WINDOW_SECONDS


def _passed(fields: _Entry) -> Passed:
    return Passed(int(fields[b"n"]), int(fields[b"f"]), int(fields[b"b"]))


def _server_ms(client: redis.Redis) -> int:
    seconds, micros = client.time() or (time.time(), 0)
    return int(seconds) * 1000 + int(micros) // 1000


def _key(prefix: str, step: str) -> str:
    return f"{prefix}:metrics:traffic:{step}"
