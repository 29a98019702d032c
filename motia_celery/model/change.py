"""Changes of streams: what a subscriber is told, and what it knows from a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

ChangeType = Literal["create", "update", "delete", "event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of an item, or an event that was sent; ``id`` is None for a whole group's event.

    ``version`` orders all changes of the app: microseconds since 1970, on Redis's clock, and
    never the same twice. ``data`` is the item with its id (for ``delete``, as it was), or the
    event as ``{"type": …, "data": …}``.
    """

    version: int
    stream: str
    group: str
    id: str | None
    type: ChangeType
    data: Any


@dataclass(frozen=True, slots=True)
class Gap:
    """From here on no change is missed; before, some may have been: read snapshots anew."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a group (a list) or an item (None if it is not there) held at a version.

    Changes with a version up to this one are in it, later ones are not. ``moment`` is when it was
    read, in the measure of versions: not before any version that was given out by then.
    """

    version: int
    data: Any
    moment: int
