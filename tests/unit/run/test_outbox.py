"""What waits for a client: in order, bounded, and of items the newest state where much waits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from motia_celery.model.change import Snapshot
from motia_celery.run.messages import Message, Place, Stamps, sync_message
from motia_celery.run.outbox import FEW, Outbox, SlowClientError


class Told:
    """An outbox, and what comes out of it. At first as much waits as makes it drop old states."""

    def __init__(self, limit: int = 1000, waiting: int = FEW, **options: Any) -> None:
        self.outbox = Outbox(limit, **options)
        self.version = 0
        for _ in range(waiting):
            self.put("event", None, "filler")

    def put(self, kind: Any, id: str | None, data: Any = None) -> None:
        self.version += 1
        place, text = Place("s", "g", id), json.dumps(data)
        self.outbox.put(Message(kind, self.version, place, text, self.version))

    def sync(self, id: str | None = None) -> None:
        self.version += 1
        self.outbox.put(sync_message(Place("s", "g", id), Snapshot(self.version, [], 0)))

    def out(self) -> list[Any]:
        found = []
        while (pending := self.outbox.take()) is not None:
            for _, body in pending.bodies():
                event = json.loads("{" + body)["event"]
                found.append((event["type"], event.get("data", event.get("event"))))
        return [told for told in found if told[1] != "filler"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ("create update update", [("create", 2), ("update", 2)]),
        ("update update", [("update", 1)]),
        ("update delete", [("delete", 1)]),
        ("create delete", [("delete", 1)]),
        ("delete create", [("delete", 0), ("create", 1)]),
        ("delete create update", [("delete", 0), ("create", 2)]),
        ("update delete create delete", [("delete", 1)]),
        ("update delete create delete create update", [("delete", 1), ("create", 5)]),
    ],
)
def test_what_waits_of_an_item_becomes_its_newest_state(changes: str, expected: Any) -> None:
    told = Told()
    for n, kind in enumerate(changes.split()):
        told.put(kind, "1", n)
    assert told.out() == expected
    assert len(told.outbox._items) == 0


def test_a_client_that_keeps_up_is_told_everything() -> None:
    told = Told(waiting=0)
    kinds = ["create", "update", "update", "delete", "create"]
    for n, kind in enumerate(kinds):
        told.put(kind, "1", n)
    assert told.out() == list(zip(kinds, range(5), strict=True))


def test_events_are_all_kept_in_order() -> None:
    told = Told()
    told.put("create", "1", "a")
    for n in range(5):
        told.put("event", "1", n)
        told.put("update", "1", f"b{n}")
    assert told.out() == [("create", "b4"), ("update", "b4"), *(("event", n) for n in range(5))]


@pytest.mark.parametrize("id", [None, "1"])
def test_what_comes_after_a_snapshot_is_told_after_it(id: str | None) -> None:
    told = Told()
    told.put("update", "1", "before")
    told.sync(id)
    told.put("update", "1", "after")
    assert told.out() == [("update", "before"), ("sync", []), ("update", "after")]


def test_a_snapshot_of_another_item_parts_nothing() -> None:
    told = Told()
    told.put("update", "1", "before")
    told.sync("2")
    told.put("update", "1", "after")
    assert told.out() == [("update", "after"), ("sync", [])]


def test_updates_of_few_items_never_fill_it() -> None:
    told = Told(limit=200)
    for n in range(100_000):
        told.put("update", str(n % 20), n)
    assert len(told.outbox) == FEW + 20


def test_events_and_other_items_fill_it() -> None:
    for kind in ("event", "update"):
        told = Told(limit=100, waiting=0)
        for n in range(100):
            told.put(kind, str(n))
        with pytest.raises(SlowClientError):
            told.put(kind, "more")


def test_bytes_fill_it_but_one_message_may_have_any_size() -> None:
    told = Told(waiting=0, limit_bytes=1000)
    told.put("event", None, "x" * 5000)
    told.put("event", None, "x" * 900)
    with pytest.raises(SlowClientError):
        told.put("event", None, "x" * 900)


def test_a_newest_state_that_grows_fills_it_too() -> None:
    told = Told(limit_bytes=1000)
    told.put("update", "1", "x")
    with pytest.raises(SlowClientError):
        told.put("update", "1", "x" * 2000)


def test_what_is_dropped_takes_no_room_and_the_rest_keeps_its_order() -> None:
    told = Told(waiting=0, limit_bytes=100)
    told.put("event", None, "kept")
    told.put("update", "1", "x" * 80)
    told.put("update", "2", 1)
    told.outbox.drop(lambda place: place.id == "1")
    told.put("update", "1", "y" * 80)
    told.put("update", "2", 2)
    kept = [("event", "kept"), ("update", 1)]
    assert told.out() == [*kept, ("update", "y" * 80), ("update", 2)]


def test_timestamps_rise_always() -> None:
    stamps = Stamps()
    versions = [1_700_000_000_000_123, 1_700_000_000_000_123, 5, 1_700_000_000_001_000]
    texts = [stamps.text(version, '"a":1}') for version in versions]
    assert texts[0] == '{"timestamp":1700000000000.123,"a":1}'
    found = [json.loads(text)["timestamp"] for text in texts]
    assert found == sorted(set(found))
