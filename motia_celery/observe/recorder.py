"""The recorder of one process: it keeps recordings in memory, and a thread writes them.

Nothing that a run does waits for Redis. While Redis is away or slow, recordings wait, up to a
bound, and past it are dropped and counted.
"""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from motia_celery.errors import FrameworkError
from motia_celery.model.redaction import Redaction
from motia_celery.model.run import Run, RunError
from motia_celery.observe.recording import Note, Recording
from motia_celery.observe.scribe import Scribe, Settlement
from motia_celery.process import process_id
from motia_celery.stores.records import Records, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from motia_celery.model.record import Status
    from motia_celery.settings import Settings
    from motia_celery.stores.records import Written

logger = logging.getLogger("motia_celery.records")

INTERVAL_SECONDS: Final = 0.2
#: A process that has runs under way says so as often.
BEAT_SECONDS: Final = 5.0
#: What a run that goes on has done is written as often at most.
REWRITE_SECONDS: Final = 1.0
#: Recordings, and log lines, that may wait.
BACKLOG: Final = 20_000
BATCH: Final = 500
_PAUSE_SECONDS = 1.0
_WARNING_SECONDS = 60.0


class Recorder:
    """Makes recordings, and writes what changed in them every 200 ms."""

    def __init__(self, settings: Settings, open_records: Callable[[], Records] | None = None):
        self._settings = settings
        self._open_records = open_records or (lambda: Records(settings))
        self._redaction = Redaction(settings.redact_keys)
        self._threshold = int(settings.record_successes * 2**32)
        self._reset()

    def _reset(self) -> None:
        """What must not outlive a fork."""
        self._pid = process_id()
        self._starting = threading.Lock()
        self.worker = f"{socket.gethostname()}/{self._pid}#{secrets.token_hex(2)}"
        self._scribe = Scribe(self.worker, self._redaction)
        self._changed: deque[Recording | Settlement] = deque()
        self._lines: deque[tuple[Recording, Note]] = deque()
        self._running: set[Recording] = set()
        self._dropped = 0
        self._warned = -_WARNING_SECONDS
        self._is_idle = False
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._records: Records | None = None
        self._unwritten: tuple[list[Written], list[bytes]] | None = None
        self._beat = 0.0

    def begin(self, run: Run) -> Recording | None:
        """A recording of the attempt; None where there is none, or there are too many."""
        if not self._settings.records:
            return None
        if self._pid != process_id():
            self._forked()
        if len(self._changed) >= BACKLOG:
            self._dropped += 1
            return None
        # All runs of a trace are kept, or none: the last half of its id is random.
        is_kept = run.attempt > 1 or int(run.trace.trace_id[-8:], 16) < self._threshold
        recording = Recording(run, self, self._settings.record_value_bytes, is_kept=is_kept)
        self._running.add(recording)
        self.changed(recording)
        return recording

    def settled(
        self,
        run: Run,
        status: Status,
        error: RunError | None = None,
        retry_seconds: float | None = None,
    ) -> None:
        """What became of a run whose attempt is over, as far as that is known only now."""
        if self._settings.records and len(self._changed) < BACKLOG:
            now = time.time()
            retry_at = None if retry_seconds is None else now + retry_seconds
            self._put(Settlement(run, status, now, error, retry_at))

    def changed(self, recording: Recording) -> None:
        """Has the recording written soon."""
        if recording.is_queued or not recording.is_kept:
            return
        if len(self._changed) >= BACKLOG:
            self._dropped += 1
            return
        recording.is_queued = True
        self._put(recording)

    def over(self, recording: Recording) -> None:
        """The recording's attempt has ended."""
        self._running.discard(recording)

    def wrote(self, recording: Recording, line: Note) -> None:
        """Keeps a line for the log."""
        if len(self._lines) < BACKLOG:
            self._lines.append((recording, line))

    def _put(self, item: Recording | Settlement) -> None:
        self._changed.append(item)
        if self._thread is None:
            self._start()
        elif self._is_idle:
            self._wake.set()

    def _forked(self) -> None:
        # No lock is held here: one of the parent's threads may have had it at the fork.
        self._reset()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._work, name="records", daemon=True)
                self._thread.start()

    def close(self, timeout_seconds: float = 3) -> None:
        """Writes what waits, if that can be done in time."""
        if self._pid != process_id():
            return
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    # The thread

    def _work(self) -> None:
        while not self._closing.is_set():
            self._rest()
            if not self._write_waiting():
                self._closing.wait(_PAUSE_SECONDS)
            self._complain_of_drops()
        self._write_waiting()
        if self._records is not None:
            self._records.close()

    def _rest(self) -> None:
        """Until there may be something to write."""
        if not self._changed and self._unwritten is None:
            self._wake.clear()
            self._is_idle = True
            # A run that began in between is seen here, or it sees that there is nobody awake.
            if not self._changed:
                self._wake.wait(BEAT_SECONDS if self._running else None)
            self._is_idle = False
        self._closing.wait(INTERVAL_SECONDS)

    def _write_waiting(self) -> bool:
        """Writes until nothing waits; False if that can not be done now."""
        later: list[Recording] = []
        try:
            while self._unwritten or self._changed or self._lines or self._must_beat():
                batch = self._unwritten or self._batch(later)
                if not self._write(batch):
                    return False
        finally:
            self._changed.extend(later)
        return True

    def _batch(self, later: list[Recording]) -> tuple[list[Written], list[bytes]]:
        runs: list[Written] = []
        for _ in range(min(len(self._changed), BATCH)):
            item = self._changed.popleft()
            if isinstance(item, Recording) and self._is_early(item):
                later.append(item)
                continue
            if isinstance(item, Recording):
                item.written_at = time.monotonic()
            runs += self._scribe.written(item)
        lines: list[bytes] = []
        for _ in range(min(len(self._lines), 4 * BATCH)):
            lines += self._scribe.line(*self._lines.popleft())
        return runs, lines

    def _is_early(self, recording: Recording) -> bool:
        """Whether it goes on, and was written a moment ago."""
        goes_on = recording.ended_at is None and not self._closing.is_set()
        return goes_on and time.monotonic() - recording.written_at < REWRITE_SECONDS

    def _must_beat(self) -> bool:
        return bool(self._running) and time.monotonic() - self._beat > BEAT_SECONDS

    def _write(self, batch: tuple[list[Written], list[bytes]]) -> bool:
        runs, lines = batch
        if not runs and not lines and not self._must_beat():
            return True
        self._unwritten = batch
        try:
            if self._records is None:
                self._records = self._open_records()
            self._records.write(runs, lines, self.worker, self._scribe.summary)
        except RefusedError as error:
            self._dropped += len(runs)
            self._warn(f"Redis refuses them: {error}")
        except FrameworkError as error:
            self._warn(str(error))
            return False
        except Exception:  # the thread must live: what follows may be written
            self._dropped += len(runs)
            logger.exception("Records could not be written", extra={"action": "records.failed"})
        self._unwritten = None
        self._beat = time.monotonic()
        return True

    def _complain_of_drops(self) -> None:
        if self._dropped:
            self._warn("they come faster than they can be written")

    def _warn(self, why: str) -> None:
        if time.monotonic() - self._warned < _WARNING_SECONDS:
            return
        self._warned = time.monotonic()
        dropped, self._dropped = self._dropped, 0
        logger.warning(
            "Records of runs are not written (%s). %d were dropped, %d wait; the runs go on.",
            why,
            dropped,
            len(self._changed),
            extra={"action": "records.waiting"},
        )
