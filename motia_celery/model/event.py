"""An event: a payload and its topic, with the ids that tie it to its cause."""

from __future__ import annotations

import hashlib
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import orjson

from motia_celery.errors import EventDataError
from motia_celery.model.trace import Trace, random_id

#: How many levels of lists and objects an event's data may have.
DEEPEST = 254

#: Namespace of the ids that are derived, so that a redelivery always gets the same one.
_NAMESPACE = uuid.UUID("6f1c9a52-7d0e-5a43-9d1b-0c6a6c1f4e6b").bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What travels on the events exchange.

    ``id`` is fixed before the first publish attempt, so that every copy of the event, and every
    redelivery, names the same run. ``timestamp_ms`` is the time of the emit, in epoch milliseconds.
    ``priority`` is 0 to 9, None for the one in the middle. ``trace`` is where it was emitted;
    ``previous`` is the attempt that an event which is sent again follows. ``depth`` is how many
    changes of state and streams led to it. ``encoded`` is the data as JSON, as it came from the
    broker or was when it was emitted: handlers may change ``data``.
    """

    topic: str
    data: Any
    id: str = field(default_factory=random_id)
    trace: Trace = field(default_factory=Trace.start)
    previous: Trace | None = None
    root_id: str | None = None
    parent_id: str | None = None
    group: str | None = None
    priority: int | None = None
    depth: int = 0
    timestamp_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    encoded: bytes | None = field(default=None, repr=False)

    @property
    def body(self) -> bytes:
        """The data as JSON.

        Raises:
            EventDataError: it has no JSON form.
        """
        if self.encoded is not None:
            return self.encoded
        try:
            return orjson.dumps(self.data, option=orjson.OPT_NON_STR_KEYS)
        except TypeError as error:
            raise EventDataError(
                f"the data can not be sent as JSON ({error}).",
                f"emit {self.topic!r}",
                "Emit dicts, lists, strings, numbers, booleans and None; dates as ISO strings.",
            ) from error


def parsed(body: bytes) -> Any:
    """The data that an event's body holds; numbers beyond 64 bits are rounded.

    Raises:
        ValueError: it is not JSON, or has more than :data:`DEEPEST` levels.
    """
    data = orjson.loads(body)
    if body.count(b"[") + body.count(b"{") > DEEPEST:
        try:
            orjson.dumps(data)  # it takes no more levels
        except orjson.JSONEncodeError as error:
            raise ValueError(f"nested more than {DEEPEST} levels deep") from error
    return data


def derived_id(*parts: str) -> str:
    """A UUID that is the same whenever the parts are the same."""
    return _derived("\0".join(parts).encode())


def _derived(name: bytes) -> str:
    # uuid.uuid5 makes the same, in four times the time; each delivery and each emit needs one.
    digest = bytearray(hashlib.sha1(_NAMESPACE + name, usedforsecurity=False).digest())
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def run_id(event_id: str, queue: str) -> str:
    """The id of the run that one event starts on one queue; equal on every redelivery."""
    return derived_id(event_id, queue)


def emitted_id(run_id: str, topic: str, body: bytes) -> str:
    """The id of an event that a run emits.

    A run that is repeated and emits the same again emits the same event, so that the runs which
    follow from it keep their ids too. Other data makes another event.
    """
    return _derived("\0".join(("emitted", run_id, topic, "")).encode() + body)
