"""What is told of a change of state or of a stream, to the triggers that hear it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

import orjson

from motia_celery.errors import EventDataError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What an event says beside the values that changed fits in so many bytes.
_ROOM: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A trigger that hears a change.

    ``emitter`` is what must keep its order in the outbox, by each key alone if ``by_key``.
    ``payload`` is the event's message without its body. ``item``: the only one that counts.
    """

    emitter: str
    payload: str
    by_key: bool = True
    item: str | None = None


@dataclass(frozen=True)
class Told:
    """What is told of one change, to whom; ``outbox`` is the outbox's key."""

    outbox: str
    targets: Sequence[Target]
    limit_bytes: int
    stream: str = ""

    @cached_property
    def argument(self) -> bytes:
        """What the scripts are given."""
        targets = [
            {
                "emitter": target.emitter,
                "payload": target.payload,
                "by_key": target.by_key,
                **({} if target.item is None else {"item": target.item}),
            }
            for target in self.targets
        ]
        return orjson.dumps({"stream": self.stream, "limit": self.limit_bytes, "targets": targets})

    def check(self, encoded: bytes | None, where: str) -> None:
        """Returns if an event may carry the new value.

        Raises:
            EventDataError: it is too large; nothing is changed.
        """
        most = self.limit_bytes - min(_ROOM, self.limit_bytes // 4)
        if encoded is not None and len(encoded) > most:
            raise EventDataError(
                f"the value has {len(encoded)} bytes, more than the event of its change may carry.",
                where,
                "Store the large part elsewhere, or raise MOTIA_EVENT_LIMIT_BYTES.",
            )


class Teller(Protocol):
    """Knows who hears which change."""

    def of_state(self, group: str) -> Told | None:
        """What is told of a change in the group; None where nobody hears it."""

    def of_stream(self, stream: str, group: str) -> Told | None:
        """What is told of a change in the stream's group; None where nobody hears it."""
