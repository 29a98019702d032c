"""Web processes: when they are ready, and chains that begin with their requests."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.arena import Place
from tests.benchmarks.load import Load, Loaded
from tests.benchmarks.measuring import percentile
from tests.benchmarks.processes import Running, wait_for

START_SECONDS = 120.0
CHAIN_SECONDS = 120.0


def wait_for_web(port: int, running: Sequence[Running], path: str = "/nowhere") -> None:
    """Returns when it answers something, be it a 404."""
    wait_for(lambda: _answers(port, path), f"an answer of {path}", START_SECONDS, running)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


@dataclass(frozen=True)
class Chains:
    """How long each chain took, from its request to its last event, and all of them together."""

    took: list[float]
    seconds: float

    @property
    def per_second(self) -> float:
        """Whole chains a second."""
        return len(self.took) / self.seconds

    def percentile_ms(self, share: float) -> float:
        """Milliseconds."""
        return percentile(self.took, share) * 1000


def run_chains(place: Place, running: Sequence[Running], load: Load) -> Chains:
    """Makes the requests, and returns when the last event of each is done.

    Raises:
        BrokenRunError: a request failed, or an event was lost.
    """
    before = place.ticks.line_count()
    start = time.time()
    loaded = load.run()
    wait_for(
        lambda: place.ticks.line_count() >= before + load.count,
        f"{load.count} chains",
        CHAIN_SECONDS,
        running,
    )
    return _chains(loaded, place.ticks.times(), start)


def _chains(loaded: Loaded, done: dict[str, float], start: float) -> Chains:
    took = [done[name] - began for name, began in loaded.began.items() if name in done]
    first = min(loaded.began.values(), default=start)
    last = max((done[name] for name in loaded.began if name in done), default=start)
    return Chains(took, max(1e-6, last - first))
