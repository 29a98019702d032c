"""Sends what is in the outbox, in its order, once the broker takes it."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import replace

import orjson

from motia_celery.broker.changes import change_message
from motia_celery.broker.relay import packed, unpacked
from motia_celery.broker.wire import Message
from motia_celery.stores.outbox import Entry, OutboxEntries

logger = logging.getLogger("motia_celery.broker")

#: How long a relay that died keeps the others waiting.
LEASE_SECONDS = 15.0
#: How long one round of sending may take; well below the lease, which is renewed before each.
ROUND_SECONDS = 5.0
_PAUSE_SECONDS = 1.0
_READ_SECONDS = 0.5
_BATCH = 100

Found = tuple[str, Entry]
#: Publishes an event, to several places on some brokers; the futures end with the confirms.
Send = Callable[[Message, float], Sequence[Future[None]]]


def outbox_entry(message: Message, emitter: str) -> Entry:
    """The entry of an event; one with a delay is due that long after now."""
    due = time.time() + message.delay_seconds if message.delay_seconds else 0
    return Entry(emitter, orjson.dumps({"due": due, "message": orjson.Fragment(packed(message))}))


def entry_message(id: str, entry: Entry, now: float) -> Message:
    """The event of the entry with this id, with what is left of its delay."""
    fields = orjson.loads(entry.payload)
    message = unpacked(fields["message"])
    if entry.body is not None:
        return change_message(message, entry.body, id)
    return replace(message, delay_seconds=max(0.0, fields["due"] - now))


class OutboxRelay:
    """Sends from a thread. Every process has one, and one of them leads."""

    def __init__(self, entries: OutboxEntries, send: Send) -> None:
        self._entries = entries
        self._send = send
        self._name = uuid.uuid4().hex
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._waiting = False

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, once it has sent what is under way."""
        self._stopped.set()
        self._thread.join(ROUND_SECONDS + 2 * _PAUSE_SECONDS)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                if not self._leads() or not self._pass():
                    self._stopped.wait(_PAUSE_SECONDS)
            except Exception as error:  # Redis is away; the events are kept there
                self._warn(error)
                self._stopped.wait(_PAUSE_SECONDS)
        try:
            self._entries.resign(self._name)
        except Exception as error:  # its lease runs out
            self._warn(error)

    def _leads(self) -> bool:
        return self._entries.lead(self._name, LEASE_SECONDS)

    def _pass(self) -> bool:
        """Sends all that is there, page by page; False if something had to stay."""
        stuck: set[str] = set()
        page = self._entries.read("0", _BATCH, _READ_SECONDS)
        while page and not self._stopped.is_set():
            free = [found for found in page if found[1].emitter not in stuck]
            stuck |= self._send_page(free)
            if len(page) < _BATCH or not self._leads():
                break
            page = self._entries.read(page[-1][0], _BATCH, 0.001)
        return not stuck

    def _send_page(self, page: Sequence[Found]) -> set[str]:
        """Sends each emitter's events one after the other; gives the emitters that got stuck."""
        lines = list(_by_emitter(page).values())
        stuck: set[str] = set()
        while lines and self._leads():
            first = [line[0] for line in lines]
            sent = self._send_round(first)
            self._entries.remove(sent)
            stuck |= {entry.emitter for id_, entry in first if id_ not in sent}
            lines = [line[1:] for line in lines if line[0][0] in sent and line[1:]]
        return stuck | {line[0][1].emitter for line in lines}

    def _send_round(self, found: Sequence[Found]) -> list[str]:
        """The ids of the entries that were confirmed."""
        now = time.time()
        under_way = {
            id_: self._send(entry_message(id_, entry, now), ROUND_SECONDS) for id_, entry in found
        }
        wait([one for all_ in under_way.values() for one in all_], ROUND_SECONDS * 2)
        failed = [error for all_ in under_way.values() for error in map(_error, all_) if error]
        if failed:
            self._warn(failed[0])
        elif self._waiting:
            self._waiting = False
            logger.info("The outbox is sent again", extra={"action": "outbox.sent"})
        return [id_ for id_, all_ in under_way.items() if not any(map(_error, all_))]

    def _warn(self, error: BaseException) -> None:
        if not self._waiting:
            self._waiting = True
            logger.warning("The outbox waits: %s", error, extra={"action": "outbox.waiting"})


def _by_emitter(page: Sequence[Found]) -> dict[str, list[Found]]:
    lines: dict[str, list[Found]] = {}
    for found in page:
        lines.setdefault(found[1].emitter, []).append(found)
    return lines


def _error(future: Future[None]) -> BaseException | None:
    return future.exception() if future.done() else TimeoutError("no confirm in time")
