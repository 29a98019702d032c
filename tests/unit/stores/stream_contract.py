"""What every store of streams does: one list of rules, inherited by the tests of each store."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from unit.stores.state_contract import AWKWARD_NAMES

from motia_celery.errors import StateValueError, UpdateError
from motia_celery.model.change import Change, Gap

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from motia_celery.stores.streams import StreamStore

SECONDS = 30


class Heard:
    """What a subscriber hears, as it comes."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.gaps = 0

    @property
    def told(self) -> list[tuple[str, str | None, Any]]:
        return [(change.type, change.id, change.data) for change in self.changes]

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition(self):
                await asyncio.sleep(0.005)

    async def count(self, number: int) -> None:
        await self.until(lambda heard: len(heard.changes) >= number)


@asynccontextmanager
async def listening(streams: StreamStore) -> AsyncIterator[Heard]:
    """A subscription that is active."""
    heard = Heard()

    async def listen() -> None:
        async for change in streams.subscribe():
            if isinstance(change, Gap):
                heard.gaps += 1
            else:
                heard.changes.append(change)

    task = asyncio.create_task(listen())
    try:
        await heard.until(lambda heard: heard.gaps)
        yield heard
    finally:
        task.cancel()
        await asyncio.wait([task])


class StreamContract:
    """Inherit it with a fixture named ``streams``."""

    async def test_an_item_has_its_id(self, streams: StreamStore) -> None:
        assert await streams.get("todo", "inbox", "1") is None
        stored = await streams.set("todo", "inbox", "1", {"text": "a", "id": "other"})
        assert stored == await streams.get("todo", "inbox", "1") == {"text": "a", "id": "1"}
        assert await streams.get_group("todo", "inbox") == [stored]
        assert await streams.delete("todo", "inbox", "1") == stored
        assert await streams.delete("todo", "inbox", "1") is None
        assert await streams.get_group("todo", "inbox") == []

    async def test_a_value_that_was_read_may_be_set_again(self, streams: StreamStore) -> None:
        """Motia's marker is no part of the item."""
        await streams.set("s", "g", "1", {"n": 1, "__motia": {"type": "state-stream"}})
        assert await streams.get("s", "g", "1") == {"n": 1, "id": "1"}

    @pytest.mark.parametrize("data", [None, 0, 0.0, False, ""])
    async def test_falsy_data_does_nothing(self, streams: StreamStore, data: Any) -> None:
        await streams.set("s", "g", "1", {"n": 1})
        assert await streams.set("s", "g", "1", data) is None
        assert await streams.get("s", "g", "1") == {"n": 1, "id": "1"}

    async def test_an_empty_object_is_an_item(self, streams: StreamStore) -> None:
        assert await streams.set("s", "g", "1", {}) == {"id": "1"}

    @pytest.mark.parametrize(
        ("data", "fault"),
        [([1], "list is no item"), ("text", "str is no item"), ({"a": b"x"}, r"bytes at \.a")],
    )
    async def test_what_is_no_item_is_refused(
        self, streams: StreamStore, data: Any, fault: str
    ) -> None:
        async with listening(streams) as heard:
            with pytest.raises(StateValueError, match=fault) as caught:
                await streams.set("s", "g", "1", data)
            with pytest.raises(StateValueError, match="bytes"):
                await streams.send("s", "g", None, {"type": "x", "data": b"x"})
            await streams.set("s", "g", "2", {})
            await heard.count(1)
            assert heard.told == [("create", "2", {"id": "2"})]
        assert "stream 's', group 'g', item '1'" in str(caught.value)

    async def test_json_stays_what_it_is(self, streams: StreamStore) -> None:
        data = {"list": [], "object": {}, "big": 2**63 - 1, "null": None, "text": '"},é\x00'}
        async with listening(streams) as heard:
            await streams.set("s", "g", "1", data)
            await streams.set("s", "g", "1", data)
            await streams.delete("s", "g", "1")
            await heard.count(3)
        assert [change.data for change in heard.changes] == [{**data, "id": "1"}] * 3

    async def test_a_group_is_listed_in_the_order_of_creation(self, streams: StreamStore) -> None:
        for id in ["c", "a", "b"]:
            await streams.set("s", "g", id, {})
        await streams.set("s", "g", "c", {"changed": True})
        await streams.set("s", "g", "old", {"_createdAt": 5})
        assert [i["id"] for i in await streams.get_group("s", "g")] == ["old", "c", "a", "b"]
        await streams.set("s", "g", "older", {"_createdAt": 5})
        await streams.set("s", "g", "old", {"_createdAt": 5, "changed": True})
        assert [i["id"] for i in await streams.get_group("s", "g")][:2] == ["old", "older"]
        await streams.delete("s", "g", "older")
        await streams.delete("s", "g", "c")
        await streams.set("s", "g", "c", {})
        assert [i["id"] for i in await streams.get_group("s", "g")] == ["old", "a", "b", "c"]

    async def test_names_are_free_text(self, streams: StreamStore) -> None:
        names = [name for name in AWKWARD_NAMES if name]
        for stream in ["a", "a:b", "a%3Ab", *AWKWARD_NAMES]:
            for group in ["b:c", "c", ""]:
                for id in names:
                    await streams.set(stream, group, id, {"place": [stream, group, id]})
        for stream in ["a", "a:b", "a%3Ab", *AWKWARD_NAMES]:
            assert await streams.groups(stream) == ["", "b:c", "c"]
            for group in ["b:c", "c", ""]:
                found = await streams.get_group(stream, group)
                assert [item["place"] for item in found] == [[stream, group, id] for id in names]

    async def test_names_that_are_none_are_refused(self, streams: StreamStore) -> None:
        assert await streams.set("s", 5, 6, {}) == {"id": "6"}  # type: ignore[arg-type]
        assert await streams.groups("s") == ["5"]
        for name in [None, True, b"x", "\ud800"]:
            with pytest.raises(StateValueError, match="no name"):
                await streams.set("s", "g", name, {})  # type: ignore[arg-type]
            with pytest.raises(StateValueError, match="no name"):
                await streams.get_group("s", name)  # type: ignore[arg-type]

    async def test_an_update_changes_an_item_or_makes_it(self, streams: StreamStore) -> None:
        operation = {"type": "increment", "path": "n", "by": 2}
        async with listening(streams) as heard:
            first = await streams.update("s", "g", "1", [operation])
            assert first == {"old_value": None, "new_value": {"n": 2, "id": "1"}}
            second = await streams.update(
                "s", "g", "1", [operation, {"type": "set", "path": "id", "value": "2"}]
            )
            assert second["new_value"] == {"n": 4, "id": "1"}
            assert second["old_value"] == first["new_value"]
            await streams.update("s", "g", "1", [{"type": "remove", "path": ""}])
            await heard.count(3)
        assert [kind for kind, _, _ in heard.told] == ["create", "update", "delete"]
        assert await streams.groups("s") == []

    async def test_an_update_that_does_not_fit_changes_nothing(self, streams: StreamStore) -> None:
        await streams.set("s", "g", "1", {"n": "text"})
        with pytest.raises(UpdateError, match=r"item '1'.*'n' is text"):
            await streams.update("s", "g", "1", [{"type": "increment", "path": "n"}])
        with pytest.raises(StateValueError, match="no item"):
            await streams.update("s", "g", "1", [{"type": "set", "path": "", "value": 5}])
        assert await streams.get("s", "g", "1") == {"n": "text", "id": "1"}

    async def test_updates_at_once_are_all_counted_and_told(self, streams: StreamStore) -> None:
        operation = [{"type": "increment", "path": "n", "by": 1}]
        async with listening(streams) as heard:
            await asyncio.gather(*(streams.update("s", "g", "1", operation) for _ in range(50)))
            await heard.count(50)
        assert [change.data["n"] for change in heard.changes] == [*range(1, 51)]

    async def test_each_change_is_told_in_order_with_a_rising_version(
        self, streams: StreamStore
    ) -> None:
        async with listening(streams) as heard, listening(streams) as twin:
            await streams.set("s", "g", "1", {"n": 1})
            await streams.set("s", "g", "1", {"n": 2})
            await streams.delete("s", "g", "absent")
            await streams.delete("s", "g", "1")
            await streams.set("other", "h", "1", {})
            await heard.count(4)
            await twin.count(4)
        assert heard.changes == twin.changes
        assert heard.told == [
            ("create", "1", {"n": 1, "id": "1"}),
            ("update", "1", {"n": 2, "id": "1"}),
            ("delete", "1", {"n": 2, "id": "1"}),
            ("create", "1", {"id": "1"}),
        ]
        versions = [change.version for change in heard.changes]
        assert versions == sorted(set(versions))
        assert versions[-1] < 2**53
        assert [(c.stream, c.group) for c in heard.changes] == [("s", "g")] * 3 + [("other", "h")]

    async def test_an_event_is_told_and_not_stored(self, streams: StreamStore) -> None:
        event = {"type": "typing", "data": {"user": "u"}}
        async with listening(streams) as heard:
            await streams.send("s", "g", None, event)
            await streams.send("s", "g", "1", event)
            await heard.count(2)
        assert heard.told == [("event", None, event), ("event", "1", event)]
        assert await streams.get_group("s", "g") == []

    async def test_clear_tells_of_every_item(self, streams: StreamStore) -> None:
        for id in ("1", '"é/'):
            await streams.set("s", "g", id, {"n": id})
        await streams.set("s", "kept", "1", {})
        async with listening(streams) as heard:
            await streams.clear("s", "g")
            await streams.clear("s", "never there")
            await heard.count(2)
        assert sorted(heard.told, key=str) == sorted(
            [("delete", id, {"n": id, "id": id}) for id in ("1", '"é/')], key=str
        )
        assert await streams.groups("s") == ["kept"]

    async def test_a_snapshot_holds_all_changes_up_to_its_version(
        self, streams: StreamStore
    ) -> None:
        """Whenever it is read, it and the later changes give what is stored in the end."""
        stopped = asyncio.Event()

        async def write(seed: int) -> None:
            dice = random.Random(seed)
            while not stopped.is_set():
                id = str(dice.randrange(5))
                if dice.random() < 0.4:
                    await streams.delete("s", "g", id)
                else:
                    await streams.set("s", "g", id, {"n": dice.random()})
                await asyncio.sleep(0)

        async with listening(streams) as heard:
            writers = [asyncio.create_task(write(seed)) for seed in range(3)]
            snapshots = []
            for number in range(1, 21):
                await heard.count(number * 7)
                snapshots.append(await streams.snapshot("s", "g"))
                snapshots.append(await streams.snapshot("s", "g", "1"))
            stopped.set()
            await asyncio.gather(*writers)
            await streams.send("s", "g", None, {"type": "end", "data": None})
            await heard.until(lambda heard: heard.told[-1][0] == "event")
        final = {item["id"]: item for item in await streams.get_group("s", "g")}
        for of_group, of_item in zip(snapshots[::2], snapshots[1::2], strict=True):
            held = {item["id"]: item for item in of_group.data}
            assert _replayed(held, heard.changes, of_group.version) == final
            one = {"1": of_item.data} if of_item.data else {}
            about = [change for change in heard.changes if change.id == "1"]
            assert _replayed(one, about, of_item.version).get("1") == final.get("1")

    async def test_the_moment_of_a_snapshot_is_not_before_any_version(
        self, streams: StreamStore
    ) -> None:
        for n in range(20):
            await streams.set("s", "g", "1", {"n": n})
            before = await streams.snapshot("s", "g")
            after = await streams.snapshot("s", "g", "1")
            assert before.version == after.version <= before.moment <= after.moment

    async def test_a_deletion_is_known_until_something_follows_it(
        self, streams: StreamStore
    ) -> None:
        for group in AWKWARD_NAMES:
            assert await streams.last_delete("s", group, group) is None
            await streams.set("s", group, group, {"n": 1})
            assert await streams.last_delete("s", group, group) is None
            await streams.delete("s", group, group)
            await streams.send("s", group, group, {"type": "t", "data": None})
            await streams.set("s", group, "other", {})
            gone = await streams.last_delete("s", group, group)
            assert gone and (gone.type, gone.id) == ("delete", gone.data["id"])
            await streams.set("s", group, group, {"n": 2})
            assert await streams.last_delete("s", group, group) is None

    async def test_a_client_may_resume_after_a_version(self, streams: StreamStore) -> None:
        async with listening(streams) as heard:
            for n in range(5):
                await streams.set("s", "g", "1", {"n": n})
                await streams.set("s", "other", "1", {"n": n})
            await streams.send("s", "g", None, {"type": "t", "data": 1})
            await heard.count(11)
        ours = [change for change in heard.changes if change.group == "g"]
        assert await streams.changes_since("s", "g", ours[0].version) == ours[1:]
        assert await streams.changes_since("s", "g", heard.changes[5].version) == ours[3:]
        assert await streams.changes_since("s", "g", ours[-1].version) == []
        assert await streams.changes_since("s", "silent", ours[0].version) == []
        version = (await streams.snapshot("s", "g")).version
        await streams.delete("s", "g", "1")
        (change,) = await streams.changes_since("s", "g", version) or []
        assert change.type == "delete"

    async def test_versions_of_another_life_can_not_be_resumed(self, streams: StreamStore) -> None:
        assert await streams.changes_since("s", "g", 5) is None
        await streams.set("s", "g", "1", {})
        version = (await streams.snapshot("s", "g")).version
        for unknown in (0, version - 1, version + 1):
            assert await streams.changes_since("s", "g", unknown) is None


class ShortLogContract:
    """Inherit it with a fixture named ``streams``, whose log holds 10 changes."""

    async def test_changes_that_were_dropped_can_not_be_resumed(self, streams: StreamStore) -> None:
        await streams.set("s", "g", "1", {})
        early = (await streams.snapshot("s", "g")).version
        for n in range(500):
            await streams.send("s", "g", None, {"type": "n", "data": n})
            if n == 494:
                late = (await streams.snapshot("s", "g")).version
        assert await streams.changes_since("s", "g", early) is None
        changes = await streams.changes_since("s", "g", late)
        assert [change.data["data"] for change in changes or []] == [495, 496, 497, 498, 499]


def _replayed(held: dict[str, Any], changes: list[Change], version: int) -> dict[str, Any]:
    held = dict(held)
    for change in changes:
        if change.version <= version or change.type == "event":
            continue
        if change.type == "delete":
            held.pop(str(change.id), None)
        else:
            held[str(change.id)] = change.data
    return held
