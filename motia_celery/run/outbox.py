"""What one client is yet to be told: where much waits, of each item its newest state alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from motia_celery.run.messages import Message, Place

#: What waits beside the first message may be so large.
LIMIT_BYTES = 8 * 1024 * 1024
#: A client that keeps up is told every change; past so many that wait, only newest states.
FEW = 64

_Group = tuple[str, str]


class SlowClientError(Exception):
    """More waits for a client than may."""


class Pending:
    """One message, or all that is yet to be told of one item.

    A client ignores the creation of an item that it has, and an update of one that it has not.
    So an item that was deleted and made again is told as both; and one that was made and updated
    too, for some of a client's subscriptions may have it already from a snapshot.

    ``known`` is where a client may resume that was told all of it; changes that came later may
    be told twice then.
    """

    __slots__ = ("deletion", "is_new", "known", "size", "state")

    def __init__(self, message: Message) -> None:
        self.known = message.known
        self.deletion: Message | None = None
        self.state: Message | None = None
        self.is_new = False
        self.size = 0
        self.add(message)

    def add(self, message: Message) -> None:
        """Takes in a later change of the same item."""
        if message.kind == "delete":
            self.deletion = self.deletion or message
            self.state = None
        else:
            self.is_new = self.is_new if self.state else message.kind == "create"
            self.state = message
        self.size = sum(len(held.data) for held in (self.deletion, self.state) if held)

    @property
    def place(self) -> Place | None:
        """What it tells of."""
        told = self.state or self.deletion
        return told.place if told else None

    def bodies(self) -> Iterator[tuple[int, str]]:
        """The versions and bodies to send, in order."""
        if self.deletion:
            yield self.deletion.version, self.deletion.body
        if self.state is None:
            return
        if self.is_new or self.deletion:
            yield self.state.version, self.state.created
        if self.state.kind != "create" and not self.deletion:
            yield self.state.version, self.state.body


class Outbox:
    """A bounded queue of messages.

    ``limit`` messages may wait, and :data:`LIMIT_BYTES` beside the first.
    """

    def __init__(self, limit: int, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._few = min(FEW, limit // 2)
        self._queue: deque[Pending] = deque()
        self._items: dict[_Group, dict[str, Pending]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, message: Message) -> None:
        """Adds a message.

        Raises:
            SlowClientError: there is no room.
        """
        place = message.place
        if message.kind == "sync":
            # What comes after a snapshot must not be told before it.
            self._part(place)
            self._append(Pending(message))
        elif message.kind == "event" or place.id is None:
            self._append(Pending(message))
        else:
            self._put_item(place.id, message)
        if len(self._queue) > self._limit or self._is_too_large():
            raise SlowClientError

    def take(self) -> Pending | None:
        """The next, or None."""
        if not self._queue:
            return None
        pending = self._queue.popleft()
        self._bytes -= pending.size
        self._forget(pending)
        return pending

    def clear(self) -> None:
        """Forgets all."""
        self._queue.clear()
        self._items.clear()
        self._bytes = 0

    def drop(self, is_unwanted: Callable[[Place], bool]) -> None:
        """Forgets what tells of such places."""
        waiting = [*self._queue]
        self.clear()
        for pending in waiting:
            if pending.place is None or not is_unwanted(pending.place):
                self._append(pending)

    def _put_item(self, id: str, message: Message) -> None:
        items = self._items.setdefault((message.place.stream, message.place.group), {})
        pending = items.get(id)
        if pending is None or len(self._queue) < self._few:
            items[id] = pending = Pending(message)
            self._append(pending)
            return
        self._bytes -= pending.size
        pending.add(message)
        self._bytes += pending.size

    def _append(self, pending: Pending) -> None:
        self._queue.append(pending)
        self._bytes += pending.size

    def _is_too_large(self) -> bool:
        return len(self._queue) > 1 and self._bytes - self._queue[0].size > self._limit_bytes

    def _part(self, place: Place) -> None:
        group = (place.stream, place.group)
        if place.id is None:
            self._items.pop(group, None)
        elif group in self._items:
            self._items[group].pop(place.id, None)

    def _forget(self, pending: Pending) -> None:
        place = pending.place
        if place is None or place.id is None:
            return
        group = (place.stream, place.group)
        items = self._items.get(group)
        if items and items.get(place.id) is pending:
            del items[place.id]
            if not items:
                del self._items[group]
