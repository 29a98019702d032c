"""``context.state``: the two shapes of a value that projects are written for."""

from __future__ import annotations

import asyncio
import json

import orjson
import pytest

from motia_celery.context.calls import Calls
from motia_celery.context.state import Missing, State, StateDict, wrapped
from motia_celery.errors import UpdateError
from motia_celery.stores.memory_state import MemoryState

STORED = {"field": 1}


def state(wrap="both"):
    return State(MemoryState(), Calls(asyncio.get_running_loop()), wrap)


def test_a_dict_answers_for_its_fields_and_for_itself_as_data():
    value = wrapped(STORED, "both")
    assert value["field"] == value.get("field") == 1
    assert value["data"] == value.get("data") == value.get("data", "other") == STORED
    assert value.get("data", value)["field"] == 1
    assert "data" in value
    assert value.get("gone") is None
    assert value.get("gone", 7) == 7
    with pytest.raises(KeyError):
        value["gone"]


def test_it_is_the_stored_dict_wherever_it_goes():
    """``data`` is an answer, not an entry."""
    value = wrapped(STORED, "both")
    assert value == STORED
    assert [*value] == ["field"]
    assert {**value} == dict(value) == value.copy() == STORED
    assert len(value) == 1
    assert json.loads(json.dumps(value)) == orjson.loads(orjson.dumps(value)) == STORED
    assert isinstance(value, dict)


def test_patterns_match_either_shape():
    match wrapped(STORED, "both"):
        case {"data": {"field": found}}:
            assert found == 1
        case _:
            pytest.fail("no match")


def test_a_missing_value_is_empty_and_falsy_with_none_as_its_data():
    value = wrapped(None, "both")
    assert not value
    assert value["data"] is value.get("data") is value.get("data", "other") is None
    assert value == {}
    assert isinstance(value, Missing)


def test_a_stored_empty_dict_is_its_own_data():
    assert wrapped({}, "both").get("data") == {}


def test_a_dict_with_a_data_key_is_given_as_it_is():
    value = wrapped({"data": 5, "x": 1}, "both")
    assert type(value) is dict
    assert value["data"] == 5


def test_a_data_key_that_is_set_later_wins():
    value = wrapped(STORED, "both")
    value["data"] = 9
    assert value["data"] == value.get("data") == 9
    assert isinstance(value, StateDict)


@pytest.mark.parametrize("value", [[1], "text", 7, 0, 1.5, True, False, "", []])
@pytest.mark.parametrize("wrap", ["both", "motia", "plain"])
def test_other_values_are_given_raw(value, wrap):
    assert wrapped(value, wrap) is value


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        (None, {"data": None}),
        ({}, {"data": {}}),
        ({"a": 1}, {"data": {"a": 1}}),
        ({"data": 1}, {"data": 1}),
        ([1], [1]),
    ],
)
def test_the_setting_motia_gives_motias_own_shapes(stored, given):
    assert wrapped(stored, "motia") == given


@pytest.mark.parametrize("stored", [None, {}, {"a": 1}, {"data": 1}])
def test_the_setting_plain_gives_what_is_stored(stored):
    assert wrapped(stored, "plain") is stored


async def test_values_are_kept_by_group_and_key():
    s = state()
    assert await s.set("orders", "1", {"n": 1}) == {"n": 1}
    await s.set("orders", "2", 5)
    assert (await s.get("orders", "1"))["data"]["n"] == 1
    assert await s.get("orders", "2") == 5
    assert not await s.get("other", "1")


async def test_a_group_is_a_list_of_values_in_the_same_shape():
    s = state()
    await s.set("orders", "1", {"n": 1})
    (value,) = await s.get_group("orders")
    assert value["n"] == value["data"]["n"] == 1
    assert await s.getGroup("orders") == [{"n": 1}]
    assert await s.get_group("other") == []


async def test_delete_gives_what_was_there_and_clear_removes_the_group():
    s = state()
    await s.set("orders", "1", {"n": 1})
    removed = await s.delete("orders", "1")
    assert removed == {"n": 1}
    assert await s.delete("orders", "1") is None
    await s.set("orders", "2", 2)
    await s.clear("orders")
    assert await s.get_group("orders") == []


async def test_in_a_thread_every_call_gives_its_value():
    s = state()

    def work():
        s.set("g", "k", {"n": 1})
        return s.get("g", "k"), s.get_group("g"), s.delete("g", "k"), s.clear("g")

    assert await asyncio.to_thread(work) == ({"n": 1}, [{"n": 1}], {"n": 1}, None)


async def test_what_motia_1_and_we_add():
    s = state()
    await s.set("jobs", "1", {"n": 1}, ttl_seconds=100)
    result = await s.update("jobs", "1", [{"type": "increment", "path": "n", "by": 2}])
    assert result == {"old_value": {"n": 1}, "new_value": {"n": 3}}
    assert await s.compare_and_set("jobs", "2", None, "mine", ttl_seconds=100)
    assert not await s.compareAndSet("jobs", "2", None, "theirs")
    assert await s.list("jobs") == [{"n": 3}, "mine"]
    assert await s.list_groups() == await s.listGroups() == ["jobs"]


async def test_an_update_that_nobody_awaits_is_finished_with_the_run():
    calls = Calls(asyncio.get_running_loop())
    s = State(MemoryState(), calls)
    s.update("g", "k", [{"type": "set", "path": "", "value": 1}])
    await calls.finish()
    assert await s.get("g", "k") == 1
    s.update("g", "k", [{"type": "append", "value": 1}])
    with pytest.raises(UpdateError):
        await calls.finish()
