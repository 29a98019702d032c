"""What every state store does: one list of rules, inherited by the tests of each store."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from motia_celery.errors import StateValueError, UpdateError

if TYPE_CHECKING:
    from motia_celery.stores.state import StateStore


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: float


class Order(BaseModel):
    total: Decimal
    tags: set[str]


AWKWARD_NAMES = ["", " ", "a:b", "a", "a:", "*", "a*", "[ab]", "{x}", "\n", "\x00"]
AWKWARD_NAMES += ["naïve", "鍵", "🔑"]

KEPT = [
    (False, False),
    (0, 0),
    ("", ""),
    ([], []),
    ({}, {}),
    (1.5, 1.5),
    (2**64 - 1, 2**64 - 1),
    ([None, {"a": None}], [None, {"a": None}]),
    ((1, 2), [1, 2]),
    ({1: "one"}, {"1": "one"}),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Colour.RED, "red"),
    (Point(1, 2.0), {"x": 1, "y": 2.0}),
    ([Order(total=Decimal("1.10"), tags={"a"})], [{"total": "1.10", "tags": ["a"]}]),
]

CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)

REFUSED = [
    (b"raw", "bytes"),
    ({"a": [1, {2}]}, r"set at \.a\[1\]"),
    ({"rate": math.nan}, r"nan at \.rate"),
    ([math.inf], r"inf at \[0\]"),
    (Point(1, math.nan), r"nan at \.y"),
    (Decimal("1.1"), "Decimal"),
    (2**64, "64 bits"),
    ("\ud800", "surrogate"),
    (CIRCLE, "circular"),
    ({(1, 2): 3}, "tuple at  ?key"),
    (object(), "object"),
]


def _pairs() -> list[tuple[str, str]]:
    """Two hundred pairs of names; the same ones each time."""
    pick = random.Random(7)
    marks = ":*?[]{}\\'\"\x00\n. aé鍵🔑\u202e"

    def name() -> str:
        return "".join(pick.choices(marks, k=pick.randrange(5)))

    return [(name(), name()) for _ in range(200)]


class StateContract:
    """Inherit it with a fixture named ``state``."""

    async def test_a_missing_key_is_none(self, state: StateStore) -> None:
        assert await state.get("orders", "1") is None
        assert await state.get_group("orders") == []
        assert await state.items("orders") == {}
        assert await state.delete("orders", "1") is None

    async def test_set_returns_the_value_and_get_reads_it(self, state: StateStore) -> None:
        value = {"items": [1, 2], "paid": False}
        assert await state.set("orders", "1", value) is value
        assert await state.get("orders", "1") == value

    @pytest.mark.parametrize(("value", "stored"), KEPT, ids=repr)
    async def test_each_json_value_is_kept(
        self, state: StateStore, value: Any, stored: Any
    ) -> None:
        """Falsy values too, and the documented Python types by their JSON form."""
        await state.set("g", "k", value)
        found = await state.get("g", "k")
        assert (type(found), found) == (type(stored), stored)

    @pytest.mark.parametrize(("value", "fault"), REFUSED, ids=lambda part: type(part).__name__)
    async def test_a_value_without_a_json_form_is_refused_by_name(
        self, state: StateStore, value: Any, fault: str
    ) -> None:
        """The old value stays."""
        await state.set("orders", "7", "old")
        with pytest.raises(StateValueError, match=fault) as caught:
            await state.set("orders", "7", value)
        assert "'orders' / '7'" in str(caught.value)
        assert await state.get("orders", "7") == "old"

    async def test_stored_values_are_copies(self, state: StateStore) -> None:
        value = {"list": [1]}
        await state.set("g", "k", value)
        value["list"].append(2)
        (await state.get("g", "k"))["list"].append(3)
        assert await state.get("g", "k") == {"list": [1]}

    async def test_delete_returns_what_was_removed(self, state: StateStore) -> None:
        await state.set("g", "k", {"a": 1})
        assert await state.delete("g", "k") == {"a": 1}
        assert await state.get("g", "k") is None

    async def test_setting_none_is_deleting(self, state: StateStore) -> None:
        await state.set("g", "k", 1)
        assert await state.set("g", "k", None) is None
        assert await state.groups() == []

    async def test_a_group_is_listed_in_the_order_of_its_keys(self, state: StateStore) -> None:
        for key in ["b", "é", "a", "10", "9"]:
            await state.set("g", key, key)
        assert await state.get_group("g") == ["10", "9", "a", "b", "é"]
        assert next(iter((await state.items("g")).items())) == ("10", "10")

    async def test_names_are_free_text(self, state: StateStore) -> None:
        """No name of a group or key ever reaches another's values."""
        for group in AWKWARD_NAMES:
            for key in AWKWARD_NAMES:
                await state.set(group, key, [group, key])
        assert await state.groups() == sorted(AWKWARD_NAMES)
        for group in AWKWARD_NAMES:
            assert await state.get(group, "a:b") == [group, "a:b"]
            assert await state.get_group(group) == [[group, key] for key in sorted(AWKWARD_NAMES)]
        await state.clear("a*")
        await state.clear("*")
        assert len(await state.groups()) == len(AWKWARD_NAMES) - 2

    async def test_no_two_names_meet(self, state: StateStore) -> None:
        """Any text at all, odd marks above all: each pair of names has a value of its own."""
        pairs = list(dict.fromkeys(_pairs()))
        for number, (group, key) in enumerate(pairs):
            await state.set(group, key, number)
        for number, (group, key) in enumerate(pairs):
            assert await state.get(group, key) == number
        for group in {group for group, _ in pairs}:
            expected = {k: number for number, (g, k) in enumerate(pairs) if g == group}
            assert await state.items(group) == dict(sorted(expected.items()))
        await state.clear(pairs[0][0])
        assert await state.get(*pairs[0]) is None
        left = {group for group, _ in pairs} - {pairs[0][0]}
        assert await state.groups() == sorted(left)

    async def test_keys_and_values_may_be_large(self, state: StateStore) -> None:
        key, value = "k:*" * 5_000, {"text": "ü" * (5 << 20)}
        await state.set("g" * 10_000, key, value)
        assert await state.get("g" * 10_000, key) == value
        assert await state.get("g" * 10_000, key[:-1]) is None

    async def test_a_number_stands_for_its_digits(self, state: StateStore) -> None:
        await state.set(5, 6, "x")  # type: ignore[arg-type]
        assert await state.items("5") == {"6": "x"}

    @pytest.mark.parametrize("name", [None, True, b"x", ["x"], "\ud800"])
    async def test_other_names_are_refused(self, state: StateStore, name: Any) -> None:
        with pytest.raises(StateValueError, match="no name"):
            await state.get("g", name)
        with pytest.raises(StateValueError, match="no name"):
            await state.set(name, "k", 1)

    async def test_an_empty_group_is_gone(self, state: StateStore) -> None:
        await state.set("g", "a", 1)
        await state.set("g", "b", 1)
        await state.delete("g", "a")
        assert await state.groups() == ["g"]
        await state.delete("g", "b")
        assert await state.groups() == []

    async def test_clear_removes_one_group(self, state: StateStore) -> None:
        await state.set("g", "a", 1)
        await state.set("h", "a", 2)
        await state.clear("g")
        await state.clear("never there")
        assert (await state.get_group("g"), await state.groups()) == ([], ["h"])

    async def test_deleting_and_setting_at_once_keeps_the_list_of_groups_true(
        self, state: StateStore
    ) -> None:
        for _ in range(20):
            await asyncio.gather(
                state.set("g", "a", 1), state.delete("g", "a"), state.set("g", "b", 1),
                state.clear("g"), state.set("g", "c", 1), state.delete("g", "b"),
            )  # fmt: skip
            assert await state.groups() == (["g"] if await state.items("g") else [])

    async def test_an_update_gives_the_old_value_and_the_new_one(self, state: StateStore) -> None:
        first = await state.update("g", "k", [{"type": "set", "path": "a", "value": [1]}])
        assert first == {"old_value": None, "new_value": {"a": [1]}}
        operations = [
            {"type": "append", "path": "a", "value": 2},
            {"type": "increment", "path": "n"},
        ]
        second = await state.update("g", "k", operations)
        assert second == {"old_value": {"a": [1]}, "new_value": {"a": [1, 2], "n": 1}}
        assert await state.get("g", "k") == {"a": [1, 2], "n": 1}
        assert await state.groups() == ["g"]

    async def test_an_update_keeps_what_json_holds(self, state: StateStore) -> None:
        """Empty lists, big integers and nulls stay what they are."""
        value = {"list": [], "object": {}, "big": 2**63 - 1, "null": None, "float": 0.1}
        await state.set("g", "k", value)
        await state.update("g", "k", [{"type": "increment", "path": "n", "by": 2**53 + 1}])
        assert await state.get("g", "k") == {**value, "n": 2**53 + 1}

    async def test_an_update_that_leaves_nothing_deletes(self, state: StateStore) -> None:
        await state.set("g", "k", 1)
        result = await state.update("g", "k", [{"type": "remove", "path": ""}])
        assert result == {"old_value": 1, "new_value": None}
        assert await state.groups() == []

    async def test_an_update_that_does_not_fit_changes_nothing(self, state: StateStore) -> None:
        await state.set("g", "k", {"n": "text"})
        operations = [
            {"type": "set", "path": "a", "value": 1},
            {"type": "increment", "path": "n", "by": 1},
        ]
        with pytest.raises(UpdateError, match="'n' is text"):
            await state.update("g", "k", operations)
        with pytest.raises(StateValueError, match="bytes"):
            await state.update("g", "k", [{"type": "set", "path": "a", "value": b"x"}])
        with pytest.raises(StateValueError, match="64 bits"):
            await state.update("g", "big", [{"type": "increment", "path": "", "by": 2**64 - 1}] * 2)
        assert await state.items("g") == {"k": {"n": "text"}}

    async def test_updates_at_once_are_all_counted(self, state: StateStore) -> None:
        operation = [{"type": "increment", "path": "n", "by": 1}]
        await asyncio.gather(*(state.update("g", "k", operation) for _ in range(100)))
        assert await state.get("g", "k") == {"n": 100}

    async def test_compare_and_set_replaces_only_what_is_expected(self, state: StateStore) -> None:
        assert not await state.compare_and_set("g", "k", 1, 2)
        assert await state.compare_and_set("g", "k", None, {"a": [1], "b": 1.0})
        assert not await state.compare_and_set("g", "k", None, 2)
        assert not await state.compare_and_set("g", "k", {"a": [True], "b": 1}, 2)
        assert await state.compare_and_set("g", "k", {"b": 1, "a": (1,)}, 2)
        assert await state.get("g", "k") == 2
        assert await state.compare_and_set("g", "k", 2, None)
        assert await state.groups() == []

    async def test_of_many_that_compare_at_once_one_wins(self, state: StateStore) -> None:
        tries = [state.compare_and_set("g", "lock", None, n) for n in range(20)]
        assert sum(await asyncio.gather(*tries)) == 1

    async def test_a_key_with_a_life_is_missing_after_it(self, state: StateStore) -> None:
        await state.set("g", "short", 1, ttl_seconds=0.05)
        await state.set("g", "long", 2, ttl_seconds=1000)
        await state.set("g", "kept", 3)
        assert await state.get("g", "long") == 2
        await _until(lambda: state.get("g", "short"), None)
        assert await state.items("g") == {"kept": 3, "long": 2}
        assert await state.get_group("g") == [3, 2]
        assert await state.delete("g", "short") is None
        assert await state.compare_and_set("g", "short", None, 4)

    async def test_a_group_is_read_without_what_expired(self, state: StateStore) -> None:
        await state.set("g", "short", 1, ttl_seconds=0.05)
        await state.set("g", "kept", 3)
        await _until(lambda: state.items("g"), {"kept": 3})

    async def test_an_expired_key_is_in_no_list(self, state: StateStore) -> None:
        """Not even if nobody has asked for it, nor is its group."""
        await state.set("g", "k", 1, ttl_seconds=0.05)
        await state.set("h", "k", 1, ttl_seconds=0.05)
        await state.set("h", "kept", 1)
        await _until(state.groups, ["h"])
        assert await state.items("h") == {"kept": 1}
        assert (await state.items("g"), await state.lives("g")) == ({}, {})

    async def test_lives_are_told_in_seconds(self, state: StateStore) -> None:
        await state.set("g", "k", 1, ttl_seconds=1000)
        await state.set("g", "kept", 1)
        lives = await state.lives("g")
        assert [*lives] == ["k"]
        assert 900 < lives["k"] <= 1000

    async def test_setting_ends_a_life_and_an_update_does_not(self, state: StateStore) -> None:
        for key in ("set", "updated", "swapped", "deleted"):
            await state.set("g", key, {}, ttl_seconds=1000)
        await state.set("g", "set", {})
        await state.update("g", "updated", [{"type": "set", "path": "a", "value": 1}])
        await state.compare_and_set("g", "swapped", {}, 1)
        await state.delete("g", "deleted")
        assert "deleted" not in await state.lives("g")
        await state.set("g", "deleted", 1)
        assert [*await state.lives("g")] == ["updated"]
        await state.set("g", "set", 1, ttl_seconds=5)
        assert [*await state.lives("g")] == ["set", "updated"]

    @pytest.mark.parametrize("life", [0, -1, math.nan, math.inf, "5", True])
    async def test_a_life_is_a_number_of_seconds(self, state: StateStore, life: Any) -> None:
        with pytest.raises(StateValueError, match="no life"):
            await state.set("g", "k", 1, ttl_seconds=life)


async def _until(ask: Any, wanted: Any) -> None:
    """Returns once the question has the wanted answer."""
    async with asyncio.timeout(60):
        while await ask() != wanted:
            await asyncio.sleep(0.01)
