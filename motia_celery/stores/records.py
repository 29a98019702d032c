"""Writing records to Redis: many runs at once, one call a batch; see ``record_scripts.py``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis.exceptions import ResponseError

from motia_celery.stores.record_scripts import WRITE
from motia_celery.stores.record_text import joined
from motia_celery.stores.redis import connect_briefly, reaching

if TYPE_CHECKING:
    import redis

    from motia_celery.settings import Settings

#: Records take at most this part of the memory that Redis may have.
_MEMORY_PART = 4
_MEMORY_ASKED_SECONDS = 60.0


class RefusedError(Exception):
    """Redis answers that it can not write a batch, being out of memory for example."""


@dataclass(slots=True)
class Written:
    """What a batch says of one run. Times are epoch milliseconds, texts are JSON.

    Without a ``span`` it is a change of status, and ``input`` and ``attempt`` are left as they
    are. ``at`` tells which of several changes is the latest.
    """

    id: str
    span: str
    number: int
    at: float
    status: str
    started: float
    ended: float | None
    retry: float | None
    step: str
    trace: str
    head: bytes
    input: bytes
    attempt: bytes
    error: bytes

    def arguments(self) -> tuple[str | bytes, ...]:
        """The script's arguments for this run."""
        ended = "-" if self.ended is None else self.ended
        retry = "-" if self.retry is None else self.retry
        state = f"{self.number} {self.at} {self.status} {ended} {retry}".encode()
        started, step, trace = str(self.started).encode(), self.step.encode(), self.trace.encode()
        span = self.span.encode()
        shown = (step, trace, started, state, span, self.head, self.error)
        text = joined((*shown, self.input, self.attempt))
        return (self.id, span, state, started, step, trace, text)


#: Makes the message about the runs of a batch.
Summary = Callable[[Sequence[Written]], bytes]


class Records:
    """The records of one prefix, for the one thread that writes them."""

    def __init__(self, settings: Settings) -> None:
        self._client: redis.Redis = connect_briefly(settings, connections=1)
        self._prefix = settings.prefix
        self._settings = settings
        self._kept_seconds = round(settings.records_kept_days * 86400)
        self._bytes_kept = settings.records_kept_bytes
        self._asked = 0.0
        self._write = self._client.register_script(WRITE)

    def write(
        self, runs: Sequence[Written], lines: Sequence[bytes], worker: str, summary: Summary
    ) -> int:
        """Writes a batch, and gives how many watch; an empty one says that ``worker`` lives.

        Those who watch are told what ``summary`` makes of the runs.

        Raises:
            StoreUnavailableError: Redis does not answer.
            RefusedError: it answers that it can not do it.
        """
        with reaching(self._client), _refusals():
            self._mind_memory()
            arguments: list[str | bytes | int | float] = [
                self._prefix,
                self._settings.records_kept,
                round((time.time() - self._kept_seconds) * 1000),
                self._bytes_kept,
                self._settings.log_lines_kept,
                max(1, self._kept_seconds),
                worker,
                len(runs),
            ]
            for run in runs:
                arguments += run.arguments()
            arguments += lines
            watching = int(self._write(args=arguments))
            if runs and watching:
                self._client.publish(f"{self._prefix}:runs:changed", summary(runs))
            return watching

    def _mind_memory(self) -> None:
        """Keeps less than is set where Redis has little: what is full refuses state and events."""
        if self._asked and time.monotonic() - self._asked < _MEMORY_ASKED_SECONDS:
            return
        self._asked = time.monotonic()
        most = int(self._client.info("memory").get("maxmemory") or 0)
        self._bytes_kept = self._settings.records_kept_bytes
        if most:
            self._bytes_kept = min(self._bytes_kept, most // _MEMORY_PART)

    def close(self) -> None:
        """Lets go of the connection."""
        self._client.close()


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ResponseError as error:
        raise RefusedError(str(error)) from error
