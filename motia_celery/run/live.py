"""Live streams: one subscription to the store in each web process, and who follows what.

A client's seat in a room is taken before the snapshot is read. What changes meanwhile is held
back, and told after it; so nothing is lost in between, and nothing is told twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Protocol

from motia_celery.errors import StoreUnavailableError
from motia_celery.model.change import Change, Gap, Snapshot
from motia_celery.run.messages import (
    Message,
    Place,
    change_message,
    gone_message,
    sync_message,
)
from motia_celery.stores.streams import StreamStore

logger = logging.getLogger("motia_celery.streams")

#: Snapshots that are read at once: the store has other work, and its connections are few.
READERS = 4
#: Changes that one seat holds back; past them it reads another snapshot.
HELD = 1000
_LONGEST_PAUSE_SECONDS = 2.0


class Follower(Protocol):
    """A client that follows places."""

    def tell(self, message: Message) -> None:
        """Sends the message, sooner or later; never raises."""

    def stop(self) -> None:
        """The process ends."""


class Seat:
    """One subscription of a follower: it waits for a snapshot, then hears of every change."""

    __slots__ = ("follower", "held", "is_overfull", "known", "opened", "place")

    def __init__(self, follower: Follower, place: Place) -> None:
        self.follower = follower
        self.place = place
        self.known = 0
        self.held: list[Message] | None = []
        self.is_overfull = False
        #: Done once the snapshot has been told for the first time.
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wait(self) -> None:
        """Holds back what comes, until the next :meth:`open`."""
        self.held = []
        self.is_overfull = False

    def hold(self, message: Message) -> None:
        """Keeps a change for later."""
        if self.held is None or self.is_overfull:
            return
        self.held.append(message)
        if len(self.held) > HELD:
            self.is_overfull = True
            self.held.clear()

    def open(self, known: int, messages: Iterable[Message]) -> None:
        """Tells the messages, and what was held back since ``known``."""
        held, self.held = self.held or [], None
        self.known = known
        for message in (*messages, *(late for late in held if late.version > known)):
            self.follower.tell(message)
        if not self.opened.done():
            self.opened.set_result(None)


class _Room:
    """Those who follow one place."""

    __slots__ = ("reading", "seats", "waiting")

    def __init__(self) -> None:
        # In order of their coming; a set would tell in any order.
        self.seats: dict[Seat, None] = {}
        self.waiting: set[Seat] = set()
        self.reading: asyncio.Task[None] | None = None


class Live:
    """The live streams of one web process. ``streams`` gives the store, once it is needed."""

    def __init__(self, streams: Callable[[], StreamStore]) -> None:
        self._streams = streams
        self._rooms: dict[Place, _Room] = {}
        self._heard = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._readers = asyncio.Semaphore(READERS)
        self._resuming: dict[Seat, asyncio.Task[None]] = {}
        self._followers: set[Follower] = set()

    @property
    def followed(self) -> int:
        """How many subscriptions there are."""
        return sum(len(room.seats) for room in self._rooms.values())

    def enter(self, follower: Follower) -> None:
        """Counts the follower among those that are stopped with the process."""
        self._followers.add(follower)

    def join(self, follower: Follower, place: Place, since: int | None = None) -> Seat:
        """Takes a seat: the follower is told what is there, then every change.

        With ``since``, a version up to which it knows all, it is told what came after that, if
        the store still knows.
        """
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        seat = Seat(follower, place)
        room = self._rooms.setdefault(place, _Room())
        room.seats[seat] = None
        if since is None:
            room.waiting.add(seat)
            self._read(place, room)
        else:
            self._resuming[seat] = asyncio.create_task(self._resume(seat, room, since))
        return seat

    def leave(self, seat: Seat) -> None:
        """Gives the seat back."""
        room = self._rooms.get(seat.place)
        if room is None:
            return
        room.seats.pop(seat, None)
        room.waiting.discard(seat)
        if not room.seats:
            del self._rooms[seat.place]
            if room.reading is not None:
                room.reading.cancel()

    def exit(self, follower: Follower) -> None:
        """Forgets the follower, who has left all its seats."""
        self._followers.discard(follower)

    def stop(self) -> None:
        """Tells every follower that the process ends."""
        for follower in [*self._followers]:
            follower.stop()

    async def aclose(self) -> None:
        """Ends the subscription."""
        self.stop()
        reading = [room.reading for room in self._rooms.values()]
        resuming = self._resuming.values()
        tasks = [task for task in (self._listening, *reading, *resuming) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _listen(self) -> None:
        """Hears of every change of the app."""
        while True:
            try:
                async with aclosing(self._streams().subscribe()) as changes:
                    async for change in changes:
                        self._hear(change)
            except Exception:
                logger.exception("Could not tell a change.", extra={"action": "streams.crashed"})
            await asyncio.sleep(1)

    def _hear(self, change: Change | Gap) -> None:
        if isinstance(change, Change):
            self.tell(change)
            return
        self._heard.set()
        for place, room in self._rooms.items():
            for seat in room.seats:
                seat.wait()
            room.waiting.update(room.seats.keys() - self._resuming.keys())
            self._read(place, room)

    def tell(self, change: Change) -> None:
        """Tells all who follow the change's group or item, each of them once."""
        group = self._rooms.get(Place(change.stream, change.group))
        item = None
        if change.id is not None:
            item = self._rooms.get(Place(change.stream, change.group, change.id))
        seats = [*(group.seats if group else ()), *(item.seats if item else ())]
        if not seats:
            return
        message, told, waiting = change_message(change), set(), []
        for seat in seats:
            if seat.held is not None:
                waiting.append(seat)
            elif seat.known < change.version and seat.follower not in told:
                told.add(seat.follower)
                seat.follower.tell(message)
        for seat in waiting:
            # A client hears an event on all its subscriptions at once; a state may come again.
            if change.type != "event" or seat.follower not in told:
                told.add(seat.follower)
                seat.hold(message)

    def _read(self, place: Place, room: _Room) -> None:
        if room.reading is None or room.reading.done():
            room.reading = asyncio.create_task(self._sync(place, room))

    async def _sync(self, place: Place, room: _Room) -> None:
        """Reads snapshots until nobody waits; all who wait when one is begun share it."""
        failures = 0
        while room.waiting:
            await self._heard.wait()
            async with self._readers:
                seats, room.waiting = room.waiting, set()
                try:
                    snapshot = await self._streams().snapshot(place.stream, place.group, place.id)
                    gone = await self._gone(place, snapshot)
                except StoreUnavailableError as error:
                    room.waiting |= seats & room.seats.keys()
                    fault, failures = error, failures + 1
                else:
                    self._open(place, room, seats, snapshot, gone)
                    continue
            await _pause(fault, failures)

    async def _gone(self, place: Place, snapshot: Snapshot) -> Change | None:
        if place.id is None or snapshot.data is not None:
            return None
        return await self._streams().last_delete(place.stream, place.group, place.id)

    def _open(
        self, place: Place, room: _Room, seats: set[Seat], snapshot: Snapshot, gone: Change | None
    ) -> None:
        there = [] if snapshot.data is None else [sync_message(place, snapshot)]
        # Not through all of the room: thousands may come, a few at a time.
        for seat in seats:
            if seat not in room.seats or seat in room.waiting:
                continue
            if seat.is_overfull:
                seat.wait()
                room.waiting.add(seat)
                continue
            # Nothing is told of what never was; one who follows again may still have it.
            is_gone = snapshot.data is None and (gone is not None or seat.opened.done())
            lost = [gone_message(place, snapshot, gone and gone.data)] if is_gone else []
            seat.open(snapshot.version, there or lost)

    async def _resume(self, seat: Seat, room: _Room, since: int) -> None:
        """Tells what came after a version, or else as if the seat were new."""
        changes: list[Change] | None = None
        place, held = seat.place, seat.held
        try:
            await self._heard.wait()
            held = seat.held
            changes = await self._streams().changes_since(place.stream, place.group, since)
        except StoreUnavailableError:
            pass  # then a snapshot is waited for
        finally:
            del self._resuming[seat]
        if seat not in room.seats:
            return
        if changes is None or seat.held is not held or seat.is_overfull:
            room.waiting.add(seat)
            self._read(place, room)
            return
        wanted = [change for change in changes if place.id in (None, change.id)]
        last = changes[-1].version if changes else since
        seat.open(last, [change_message(change) for change in wanted])


async def _pause(error: Exception, failures: int) -> None:
    if failures == 1:
        logger.warning(
            "A snapshot can not be read, trying again: %s", error, extra={"action": "streams.read"}
        )
    await asyncio.sleep(min(_LONGEST_PAUSE_SECONDS, 0.1 * 2 ** min(failures, 10)))
