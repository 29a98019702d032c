"""Rooms and seats: whatever the order of things, a client ends with what the store holds.

The clients here apply messages by the rules of Motia's own: a group ignores the creation of what
it has and the update of what it has not, and an item ignores what is not newer.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from motia_celery.errors import StoreUnavailableError
from motia_celery.model.change import Change, Gap
from motia_celery.run.live import HELD, Live, Seat
from motia_celery.run.messages import Message, Place, Stamps
from motia_celery.run.outbox import Outbox
from motia_celery.stores.memory_streams import MemoryStreams

SECONDS = 20


class LateStore(MemoryStreams):
    """A store whose changes and snapshots arrive late, whose connection breaks, and that fails."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice = dice
        self.breaks: asyncio.Queue[None] = asyncio.Queue()
        self.fails = 0
        self.reads = 0

    async def _late(self, most: int = 2) -> None:
        for _ in range(self.dice.randrange(most)):
            await asyncio.sleep(0)

    async def subscribe(self) -> AsyncIterator[Change | Gap]:  # type: ignore[override]
        async for change in super().subscribe():
            await self._late()
            if not self.breaks.empty():
                self.breaks.get_nowait()
                yield Gap()  # in place of a change, which is lost
                continue
            yield change

    async def snapshot(self, *place: Any) -> Any:
        await self._late()
        self.reads += 1
        if self.fails:
            self.fails -= 1
            raise StoreUnavailableError("gone", "redis")
        snapshot = await super().snapshot(*place)
        await self._late(15)
        return snapshot


class Client:
    """A socket with its outbox, which is read now and then, and Motia's client behind it."""

    def __init__(self, limit: int = 4) -> None:
        self.outbox = Outbox(10_000)
        self.outbox._few = limit
        self.stamps = Stamps()
        self.groups: dict[str, dict[str, Any]] = {}
        self.items: dict[tuple[str, str], Any] = {}
        self.item_stamps: dict[tuple[str, str], float] = {}
        self.events: list[Any] = []
        self.told: list[Any] = []

    def tell(self, message: Message) -> None:
        self.outbox.put(message)

    def stop(self) -> None:
        pass

    def read(self, count: int = 1_000_000) -> None:
        while count and (pending := self.outbox.take()) is not None:
            count -= 1
            for version, body in pending.bodies():
                self._receive(json.loads(self.stamps.text(version, body)))

    def _receive(self, message: Any) -> None:
        self.told.append(message)
        group, id, event = message["groupId"], message.get("id"), message["event"]
        kind, data = event["type"], event.get("data")
        if kind == "event":
            self.events.append(event["event"]["data"])
            return
        if (group, id) in self.items and message["timestamp"] > self.item_stamps[group, id]:
            self.item_stamps[group, id] = message["timestamp"]
            self.items[group, id] = None if kind == "delete" else data
        held = self.groups.get(group)
        if held is None or (id is not None and kind == "sync"):
            return
        if kind == "sync":
            held.clear()
            held.update((item["id"], item) for item in data)
        elif kind == "delete":
            held.pop(data["id"], None)
        elif (data["id"] in held) == (kind == "update"):
            held[data["id"]] = data

    def follow(self, live: Live, group: str, id: str | None = None) -> Seat:
        if id is None:
            self.groups.setdefault(group, {})
        else:
            self.items.setdefault((group, id))
            self.item_stamps.setdefault((group, id), 0)
        return live.join(self, Place("s", group, id))

    async def is_as(self, store: MemoryStreams) -> None:
        for group, held in self.groups.items():
            assert held == {item["id"]: item for item in await store.get_group("s", group)}
        for (group, id), item in self.items.items():
            assert item == await store.get("s", group, id), (group, id)


async def settled(seats: list[Seat]) -> None:
    async with asyncio.timeout(SECONDS):
        while any(seat.held is not None for seat in seats):
            await asyncio.sleep(0)


async def quiet(store: LateStore, live: Live, mark: str) -> None:
    """Returns once everything was heard: the last change is an event to someone who listens."""
    listener = Client()
    seat = listener.follow(live, mark)
    await settled([seat])
    await store.send("s", mark, None, {"type": "end", "data": "end"})
    async with asyncio.timeout(SECONDS):
        while not listener.events:
            await asyncio.sleep(0)
            listener.read()


@pytest.mark.parametrize("seed", range(200))
async def test_a_client_ends_with_what_the_store_holds(seed: int) -> None:
    dice = random.Random(seed)
    store = LateStore(dice)
    live = Live(lambda: store)
    clients = [Client(dice.choice([0, 2, 50])) for _ in range(3)]
    seats: list[Seat] = []
    for _ in range(150):
        group, id = dice.choice("gh"), dice.choice("123")
        match dice.randrange(12):
            case 0:
                seats.append(dice.choice(clients).follow(live, group))
            case 1:
                seats.append(dice.choice(clients).follow(live, group, id))
            case 2 | 3 | 4 | 5:
                await store.set("s", group, id, {"n": dice.random()})
            case 6 | 7:
                await store.delete("s", group, id)
            case 8:
                await store.send("s", group, id, {"type": "t", "data": 1})
            case 9:
                dice.choice(clients).read(dice.randrange(4))
            case 10 if dice.random() < 0.3:
                store.breaks.put_nowait(None)
            case _:
                await asyncio.sleep(0)
    store.breaks = asyncio.Queue()
    await quiet(store, live, "end")
    await settled(seats)
    for client in clients:
        client.read()
        await client.is_as(store)
        stamps = [message["timestamp"] for message in client.told]
        assert stamps == sorted(set(stamps))
    await live.aclose()


@pytest.fixture
async def live() -> AsyncIterator[Live]:
    live = Live(lambda: store)
    store = LateStore(random.Random(1))
    live.store = store  # type: ignore[attr-defined]
    yield live
    await live.aclose()


async def test_each_change_is_told_once_without_a_doubt(live: Any) -> None:
    """Changes before, during and after the snapshot are in it, or told after it."""
    store, client = live.store, Client(limit=10_000)
    await store.set("s", "g", "1", {"n": 0})
    seat = client.follow(live, "g")
    n = 0
    while seat.held is not None:
        n += 1
        await store.set("s", "g", "1", {"n": n})
        await asyncio.sleep(0)
    for _ in range(5):
        n += 1
        await store.set("s", "g", "1", {"n": n})
    await quiet(store, live, "end")
    client.read()
    sync, *updates = client.told
    first = sync["event"]["data"][0]["n"]
    assert [update["event"]["data"]["n"] for update in updates] == list(range(first + 1, n + 1))


async def test_after_a_gap_everyone_gets_a_new_snapshot(live: Any) -> None:
    store, client = live.store, Client()
    seats = [client.follow(live, "g"), client.follow(live, "g", "1"), client.follow(live, "h")]
    await store.set("s", "g", "1", {})
    await settled(seats)
    await quiet(store, live, "end")
    client.read()
    store.breaks.put_nowait(None)
    await store.delete("s", "g", "1")  # nobody hears of it
    await quiet(store, live, "end again")
    await settled(seats)
    client.read()
    await client.is_as(store)


async def test_many_who_come_at_once_share_a_snapshot(live: Any) -> None:
    seats = [Client().follow(live, "g") for _ in range(1000)]
    await settled(seats)
    assert live.store.reads <= 3


async def test_a_store_that_is_away_is_waited_for(live: Any, caplog: Any) -> None:
    store, client = live.store, Client()
    store.fails = 2
    await store.set("s", "g", "1", {"n": 1})
    await settled([client.follow(live, "g")])
    client.read()
    await client.is_as(store)
    assert [line.action for line in caplog.records] == ["streams.read"]


async def test_who_can_not_hold_back_all_that_happens_reads_again(live: Any) -> None:
    store, client = live.store, Client()
    seat = client.follow(live, "g")
    for n in range(HELD + 10):
        seat.hold(Message("update", n, seat.place, "{}", n))
    assert seat.held == []
    await store.set("s", "g", "1", {"n": 1})
    await settled([seat])
    client.read()
    await client.is_as(store)


async def test_rooms_of_those_who_left_are_closed(live: Any) -> None:
    client = Client()
    seats = [client.follow(live, "g"), client.follow(live, "g", "1")]
    live.leave(seats[0])
    await settled(seats[1:])
    assert live.followed == 1
    live.leave(seats[1])
    live.leave(seats[1])
    assert (live.followed, live._rooms) == (0, {})


async def test_a_follower_hears_an_event_once_even_while_it_joins(live: Any) -> None:
    client = Client()
    await settled([client.follow(live, "g")])
    seat = client.follow(live, "g", "1")
    assert seat.held == []
    live.tell(Change(version=5, stream="s", group="g", id="1", type="event", data={"data": 1}))
    await settled([seat])
    client.read()
    assert client.events == [1]
