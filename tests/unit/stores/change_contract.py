"""What every store tells of changes: one list of rules, inherited by the tests of each store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from motia_celery.errors import EventDataError, UpdateError
from motia_celery.model.told import Target, Told

EVERY = Target(emitter="every", payload="{}")
IN_ORDER = Target(emitter="in-order", payload="{}", by_key=False)
ONE_ITEM = Target(emitter="one", payload="{}", item="a/ä")


@dataclass
class Fixed:
    """Tells these targets of every change."""

    outbox: str
    targets: list[Target] = field(default_factory=lambda: [EVERY])
    limit_bytes: int = 100_000

    def of_state(self, group: str) -> Told | None:
        return Told(self.outbox, self.targets, self.limit_bytes)

    def of_stream(self, stream: str, group: str) -> Told | None:
        return Told(self.outbox, self.targets, self.limit_bytes, stream)


class ChangeContract:
    """Needs the fixtures ``state`` and ``streams``, ``teller``, and ``heard``: what was told, as
    pairs of an emitter and an event's data.
    """

    @pytest.fixture
    def teller(self) -> Fixed:
        return Fixed("outbox")

    @pytest.fixture
    async def heard(self) -> Any:
        raise NotImplementedError

    async def values(self, heard: Any) -> list[tuple[Any, Any, Any]]:
        return [(b["item_id"], b["old_value"], b["new_value"]) for _, b in await heard()]

    async def test_each_change_of_state_is_told_with_what_it_replaced(
        self, state: Any, teller: Fixed, heard: Any
    ) -> None:
        told = state.telling(teller)
        await told.set("g", "k", {"n": 1.5})
        await told.set("g", "k", {"n": 1.5})
        await told.update("g", "k", [{"type": "increment", "path": "n", "by": 1}])
        assert await told.compare_and_set("g", "k", {"n": 2.5}, "x", ttl_seconds=60)
        assert not await told.compare_and_set("g", "k", "y", "z")
        assert await told.delete("g", "k") == "x"
        assert await heard() == [
            (
                "every:k",
                {
                    "type": "state",
                    "group_id": "g",
                    "item_id": "k",
                    "old_value": old,
                    "new_value": new,
                },
            )
            for old, new in (
                (None, {"n": 1.5}),
                ({"n": 1.5}, {"n": 1.5}),
                ({"n": 1.5}, {"n": 2.5}),
                ({"n": 2.5}, "x"),
                ("x", None),
            )
        ]

    async def test_what_is_not_there_is_not_told_to_be_deleted(
        self, state: Any, streams: Any, teller: Fixed, heard: Any
    ) -> None:
        await state.telling(teller).delete("g", "none")
        await state.telling(teller).set("g", "none", None)
        await state.telling(teller).clear("none")
        await streams.telling(teller).delete("s", "g", "none")
        await streams.telling(teller).clear("s", "none")
        assert await heard() == []

    async def test_a_group_that_is_cleared_is_told_key_by_key(
        self, state: Any, teller: Fixed, heard: Any
    ) -> None:
        await state.set("g", "a/ä", 1)
        await state.set("g", "b\n", False)
        await state.telling(teller).clear("g")
        assert sorted(await self.values(heard)) == [("a/ä", 1, None), ("b\n", False, None)]
        assert await state.groups() == []

    async def test_an_update_that_fails_is_not_told(
        self, state: Any, teller: Fixed, heard: Any
    ) -> None:
        await state.set("g", "k", "text")
        with pytest.raises(UpdateError):
            await state.telling(teller).update("g", "k", [{"type": "increment", "by": 1}])
        assert await heard() == []

    async def test_changes_that_nobody_is_named_for_are_not_told(
        self, state: Any, streams: Any, teller: Fixed, heard: Any
    ) -> None:
        state.telling(teller), streams.telling(teller)
        await state.set("g", "k", 1)
        await streams.set("s", "g", "i", {"n": 1})
        assert await heard() == []

    async def test_each_change_of_a_stream_is_told(
        self, streams: Any, teller: Fixed, heard: Any
    ) -> None:
        told = streams.telling(teller)
        await told.set("s", "g", "i", {"n": 1})
        await told.update("s", "g", "i", [{"type": "increment", "path": "n", "by": 1}])
        await told.set("s", "g", "i", None)
        await told.send("s", "g", None, {"type": "ping", "data": [1]})
        await told.send("s", "g", "i", {"type": "pong", "data": None})
        await told.delete("s", "g", "i")
        found = await heard()
        assert [(emitter, body["id"], body["event"]) for emitter, body in found] == [
            ("every:i", "i", {"type": "create", "data": {"n": 1, "id": "i"}}),
            ("every:i", "i", {"type": "update", "data": {"n": 2, "id": "i"}}),
            ("every:", None, {"type": "event", "data": {"type": "ping", "data": [1]}}),
            ("every:i", "i", {"type": "event", "data": {"type": "pong", "data": None}}),
            ("every:i", "i", {"type": "delete", "data": {"n": 2, "id": "i"}}),
        ]
        assert {(b["type"], b["streamName"], b["groupId"]) for _, b in found} == {
            ("stream", "s", "g")
        }
        stamps = [body["timestamp"] for _, body in found]
        assert stamps == sorted(stamps)
        assert 1_600_000_000_000 < stamps[0] < 4_000_000_000_000

    async def test_a_target_may_want_one_item_alone(
        self, streams: Any, teller: Fixed, heard: Any
    ) -> None:
        teller.targets = [ONE_ITEM]
        told = streams.telling(teller)
        for id in ("a/ä", "b"):
            await told.set("s", "g", id, {"n": 1})
        await told.send("s", "g", None, {"type": "ping", "data": 1})
        await told.clear("s", "g")
        kinds = [body["event"]["type"] for _, body in await heard()]
        assert kinds == ["create", "delete"]

    async def test_each_target_gets_its_own_and_one_in_order_has_one_line(
        self, state: Any, teller: Fixed, heard: Any
    ) -> None:
        teller.targets = [EVERY, IN_ORDER]
        await state.telling(teller).set("g", "k", 1)
        assert [emitter for emitter, _ in await heard()] == ["every:k", "in-order"]

    async def test_a_value_that_no_event_can_carry_is_refused_before_it_is_stored(
        self, state: Any, streams: Any, teller: Fixed, heard: Any
    ) -> None:
        with pytest.raises(EventDataError, match="more than the event"):
            await state.telling(teller).set("g", "k", "x" * 100_000)
        with pytest.raises(EventDataError):
            await streams.telling(teller).set("s", "g", "i", {"x": "x" * 100_000})
        assert await state.get("g", "k") is None
        assert await streams.get("s", "g", "i") is None
        assert await heard() == []

    async def test_an_old_value_that_is_too_large_is_left_out_and_said_to_be(
        self, state: Any, teller: Fixed, heard: Any
    ) -> None:
        await state.set("g", "k", "x" * 100_000)
        await state.telling(teller).set("g", "k", 1)
        ((_, body),) = await heard()
        assert (body["old_value"], body["old_value_omitted"], body["new_value"]) == (None, True, 1)
