"""Beat: the process that sends each Step's ticks, on redbeat with its two gaps closed.

Any number of beats may run. One holds a lock in Redis and leads; the others stand by, and one of
them takes over when the lock runs out or is released. A slot (the time at which an expression
fires) counts as done only when its event was confirmed by the broker, so a tick is sent late
sooner than lost; after an outage only the latest missed slot is sent.
"""

from __future__ import annotations

import json
import logging
import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from celery.beat import Service
from redbeat import schedulers as redbeat
from redbeat.decoder import RedBeatJSONDecoder, RedBeatJSONEncoder

from motia_celery.broker.beat_settings import MAX_LOOP_SECONDS
from motia_celery.broker.cron_schedule import CronSchedule
from motia_celery.broker.misses import note_miss
from motia_celery.errors import CronError, FrameworkError
from motia_celery.plan.topology import task_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from celery import Celery

    from motia_celery.plan.schedule import ScheduleEntry

    Send = Callable[[str, datetime], None]

logger = logging.getLogger(__name__)

#: How soon a send that failed is tried again; below the second that is the shortest cron.
RETRY_SECONDS = 0.5

_TYPE = "motia-cron"
_RedisError: type[Exception] = redbeat.redis.exceptions.RedisError
_LockError: type[Exception] = redbeat.redis.exceptions.LockError


def beat_schedule(entries: Iterable[ScheduleEntry]) -> dict[str, dict[str, Any]]:
    """The entries as Celery's ``beat_schedule``, by their names."""
    return {
        entry.name: {
            "task": task_name(entry.step),
            "schedule": CronSchedule(entry.expression, entry.timezone),
        }
        for entry in entries
    }


def scheduler_class(send: Send, ticked: Callable[[], None] = lambda: None) -> type[Scheduler]:
    """A scheduler that calls ``send(entry name, slot)`` for each tick, and ``ticked()`` after
    each look at the schedule, about once a second.

    ``send`` returns once the broker has confirmed the event, and raises when it could not be
    sent; it is then called again with the same slot. The slot is in UTC.
    """

    class SendingScheduler(Scheduler):
        def send(self, entry_name: str, slot: datetime) -> None:
            send(entry_name, slot)

        def ticked(self) -> None:
            ticked()

    return SendingScheduler


def run_beat(app: Celery, scheduler_cls: type[Scheduler], loglevel: str) -> None:
    """Runs beat in the foreground until SIGTERM or SIGINT, then releases its lock.

    A tick that is being sent is finished first; a second signal does not wait for it. Logging is
    set up as Celery does it only where the process has no log handler yet.
    """
    if not logging.getLogger().handlers:
        app.log.setup(loglevel=loglevel.upper(), redirect_stdouts=False)
    service = Service(app, scheduler_cls=scheduler_cls, remote_control=False)
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        if stopping:
            raise SystemExit
        stopping = True
        service.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    service.start()


class _Encoder(RedBeatJSONEncoder):
    def default(self, obj: object) -> Any:
        if isinstance(obj, CronSchedule):
            cron = obj.cron
            return {"__type__": _TYPE, "expression": cron.expression, "timezone": cron.timezone}
        return super().default(obj)


class _Decoder(RedBeatJSONDecoder):
    def dict_to_object(self, d: dict[str, Any]) -> Any:
        if d.get("__type__") == _TYPE:
            return CronSchedule(d["expression"], d["timezone"])
        return super().dict_to_object(d)


class Entry(redbeat.RedBeatSchedulerEntry):
    """One cron trigger in Redis; ``last_run_at`` is the slot that was last confirmed."""

    last_run_at: datetime

    @staticmethod
    def decode_definition(definition: str) -> dict[str, Any]:
        """The stored definition, with its schedule."""
        decoded: dict[str, Any] = json.loads(definition, cls=_Decoder)
        return decoded

    @classmethod
    def from_key(cls, key: str, app: Celery | None = None) -> Entry:
        """The stored entry.

        Raises:
            KeyError: there is none, or none that can be read; beat then drops the key.
        """
        try:
            entry: Entry = super().from_key(key, app=app)
        except (ValueError, TypeError, CronError) as error:
            raise KeyError(key) from error
        if entry.last_run_at is None:
            entry.reschedule()
        return entry

    @property
    def due_at(self) -> datetime | None:
        """The first slot that is still to be sent, or None when there is none."""
        following: datetime | None = self.schedule.next_after(self.last_run_at)
        return following

    def due_slot(self) -> datetime | None:
        """The slot to send now: of several that have come, the latest."""
        return self.schedule.due_slot(self.last_run_at) if self.enabled else None

    def advance(self, slot: datetime) -> None:
        """Marks the slot as done, and with it any before it."""
        due = self.due_at
        if due is not None and due < slot:
            prefix = self.app.redbeat_conf.key_prefix
            note_miss(redbeat.get_redis(self.app), prefix, self.name, due, slot)
            words = "Ticks of %s after %s were missed; only the latest was sent."
            fields = {"action": "cron.missed", "step": self.name}
            logger.warning(words, self.name, self.last_run_at.isoformat(), extra=fields)
        self.reschedule(slot)

    def save(self) -> Entry:
        """Stores the entry. One that is new, or whose schedule changed, starts from now."""
        stored = self._stored()
        if stored and stored.schedule == self.schedule:
            self.last_run_at = stored.last_run_at
        fields = ("name", "task", "args", "kwargs", "options", "schedule", "enabled")
        definition = {name: getattr(self, name) for name in fields}
        # redbeat's codec keeps a time zone's name but not which of two repeated hours it was.
        meta = {"last_run_at": self.last_run_at.astimezone(UTC)}
        with redbeat.get_redis(self.app).pipeline() as pipe:
            pipe.hset(self.key, "definition", json.dumps(definition, cls=_Encoder))
            pipe.hset(self.key, "meta", json.dumps(meta, cls=_Encoder))
            pipe.zadd(self.app.redbeat_conf.schedule_key, {self.key: self.score})
            pipe.execute()
        return self

    def _stored(self) -> Entry | None:
        try:
            return self.from_key(self.key, app=self.app)
        except KeyError:
            return None


_Due = tuple[Entry, datetime]


class Scheduler(redbeat.RedBeatScheduler):
    """redbeat's scheduler, with a lock that is taken again and slots that are confirmed.

    Redis may be away at any time, at start too: it is first asked by :meth:`tick`, which waits.
    """

    Entry = Entry
    lock_key: str | None

    def __init__(self, app: Celery, **options: Any) -> None:
        super().__init__(app, **options)
        self._lock = redbeat.get_redis(app).lock(
            self.lock_key, timeout=float(self.lock_timeout), thread_local=False
        )
        # redbeat waits for a lock of this name when beat starts, and gives up when it is lost.
        self.lock_key = None
        self._confirmed: dict[str, datetime] = {}
        self._is_stored = self._standing_by = self._redis_is_away = False

    def send(self, entry_name: str, slot: datetime) -> None:
        """Publishes one tick's event; see :func:`scheduler_class`."""
        raise NotImplementedError

    def setup_schedule(self) -> None:
        """Does nothing yet: a beat stores its schedule when it takes the lock."""

    def install_default_entries(self, data: Mapping[str, Any]) -> None:
        """Adds nothing: results expire by themselves in Redis."""

    def update_from_dict(self, entries: Mapping[str, Mapping[str, Any]]) -> None:
        """Stores the entries of ``beat_schedule``."""
        for name, definition in entries.items():
            self._maybe_entry(name, definition).save()

    def tick(self, **_options: Any) -> float:
        """Sends what is due, if this beat leads; returns the seconds to wait for the next call."""
        try:
            leads = self._leads()
            wait = self._send_due() if leads else self._seconds_to_lock()
        except _RedisError as error:
            return self._without_redis(error)
        if self._redis_is_away:
            self._redis_is_away = False
            logger.info("Redis answers again.", extra={"action": "beat.redis_back"})
        if leads:
            self.ticked()
        return min(wait, float(self.max_interval))

    def ticked(self) -> None:
        """The beat that leads has looked at its schedule, and sent what was due."""

    def close(self) -> None:
        """Releases the lock, so that a beat that stands by takes over at once."""
        try:
            if self._keeps_lock():
                self._lock.release()
        except _RedisError as error:
            words = "The beat lock was not released and will run out: %s"
            logger.warning(words, error, extra={"action": "beat.lock_left"})
        super().close()

    def _leads(self) -> bool:
        """Whether this beat holds the lock; one that is free is taken."""
        if not self._keeps_lock():
            if not self._lock.acquire(blocking=False):
                self._stand_by()
                return False
            self._standing_by = self._is_stored = False
            logger.info("This beat has the lock and leads.", extra={"action": "beat.leads"})
        if not self._is_stored:
            super().setup_schedule()
            self._is_stored = True
        return True

    def _keeps_lock(self) -> bool:
        """Whether the lock is still this beat's; its time starts again."""
        try:
            return bool(self._lock.reacquire())
        except _LockError:
            return False

    def _stand_by(self) -> None:
        if not self._standing_by:
            logger.info("Another beat leads; standing by.", extra={"action": "beat.stands_by"})
        self._standing_by = True

    def _seconds_to_lock(self) -> float:
        """When to try for the lock again: at once if it ran out meanwhile (-2); -1 has no end."""
        left = redbeat.get_redis(self.app).pttl(self._lock.name)
        return max(left, 1) / 1000 if left != -1 else float(self.max_interval)

    def _send_due(self) -> float:
        wait = MAX_LOOP_SECONDS
        for entry, slot in self._due():
            # Sending may have taken longer than the lock lasts: look before the next one.
            if not self._keeps_lock():
                return 0.0
            if not self._confirm(entry.name, slot):
                wait = RETRY_SECONDS
            elif self._keeps_lock():
                entry.advance(slot)
        # Slots lie on whole seconds, so the next one is when to look again.
        return min(wait, 1.0 - time.time() % 1.0)

    def _due(self) -> Iterator[_Due]:
        for entry in self.schedule.values():
            if slot := entry.due_slot():
                yield entry, slot

    def _confirm(self, name: str, slot: datetime) -> bool:
        """Sends a slot once; one whose mark could not be written to Redis is not sent again."""
        if self._confirmed.get(name) == slot:
            return True
        fields = {"step": name, "slot": slot.isoformat()}
        try:
            self.send(name, slot)
        except Exception as error:
            logger.error(
                "The tick of %s could not be sent and is tried again: %s",
                name,
                error,
                # Our own errors say all there is to know; a broker's outage is no bug.
                exc_info=not isinstance(error, FrameworkError),
                extra={"action": "cron.send_failed", **fields},
            )
            return False
        self._confirmed[name] = slot
        logger.debug("Tick of %s sent.", name, extra={"action": "cron.sent", **fields})
        return True

    def _without_redis(self, error: Exception) -> float:
        if not self._redis_is_away:
            words = "Redis does not answer; no tick is sent until it does: %s"
            logger.warning(words, error, extra={"action": "beat.redis_away"})
        self._redis_is_away = True
        return float(self.max_interval)
