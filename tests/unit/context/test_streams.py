"""``context.streams``: Motia's methods and return values."""

from __future__ import annotations

import asyncio

import pytest

from motia_celery.context.calls import Calls
from motia_celery.context.streams import Streams
from motia_celery.errors import ConfigError, StateValueError, UnknownStreamError, UpdateError
from motia_celery.model.change import Change
from motia_celery.stores.memory_streams import MemoryStreams


class Followed:
    """Streams of two names, what handlers call, and what was told."""

    def __init__(self):
        self.store = MemoryStreams()
        self.calls = Calls(asyncio.get_running_loop())
        self.streams = Streams(frozenset({"chat", "order-status"}), self.store, self.calls)

    async def told(self):
        changes = await self.store.changes_since("chat", "g", self.version)
        return [(change.type, change.id, change.data) for change in changes]


@pytest.fixture
async def app():
    made = Followed()
    await made.store.set("before", "g", "1", {})
    made.version = (await made.store.snapshot("before", "g")).version
    return made


def marker(group, id, stream="chat"):
    return {"type": "state-stream", "streamName": stream, "groupId": group, "id": id}


async def test_items_come_back_with_their_id_and_motias_marker(app):
    chat = app.streams.chat
    stored = await chat.set("g", "1", {"text": "hi"})
    assert stored == {"text": "hi", "id": "1", "__motia": marker("g", "1")}
    assert await chat.get("g", "1") == stored
    assert await chat.get_group("g") == await chat.getGroup("g") == await chat.list("g") == [stored]
    assert await chat.list_groups() == await chat.listGroups() == ["g"]
    assert await chat.delete("g", "1") == stored
    assert await chat.delete("g", "1") is None
    assert await chat.get("g", "1") is None


async def test_the_marker_is_told_to_nobody(app):
    item = await app.streams.chat.set("g", "1", {"n": 1})
    await app.streams.chat.set("g", "1", {**item, "n": 2})
    assert await app.told() == [
        ("create", "1", {"n": 1, "id": "1"}),
        ("update", "1", {"n": 2, "id": "1"}),
    ]


async def test_falsy_data_gives_none_and_does_nothing(app):
    assert await app.streams.chat.set("g", "1", None) is None
    assert await app.told() == []


async def test_an_update_gives_both_items(app):
    result = await app.streams.chat.update("g", "1", [{"type": "set", "path": "n", "value": 1}])
    assert result == {
        "old_value": None,
        "new_value": {"n": 1, "id": "1", "__motia": marker("g", "1")},
    }


@pytest.mark.parametrize(
    ("channel", "id"), [({"groupId": "g"}, None), ({"groupId": "g", "id": "1"}, "1")]
)
async def test_send_reaches_a_group_or_an_item(app, channel, id):
    event = {"type": "typing", "data": {"user": "u"}}
    assert await app.streams.chat.send(channel, event) is None
    assert await app.told() == [("event", id, event)]


@pytest.mark.parametrize(
    ("channel", "event"),
    [({}, {"type": "t"}), ("g", {"type": "t"}), ({"groupId": "g"}, {}), ({"groupId": "g"}, "t")],
)
async def test_a_send_to_nowhere_or_of_nothing_says_what_to_write(app, channel, event):
    with pytest.raises(ConfigError, match="Write send"):
        await app.streams.chat.send(channel, event)


async def test_bytes_are_refused_by_name(app):
    with pytest.raises(StateValueError, match=r"bytes at \.raw has no JSON form"):
        await app.streams.chat.set("g", "1", {"raw": b"x"})


async def test_a_stream_is_reached_by_attribute_or_by_item(app):
    item = await app.streams["order-status"].set(1, 2, {})
    assert item["__motia"] == marker("1", "2", "order-status")
    assert "order-status" in app.streams
    assert dir(app.streams) == ["chat", "order-status"]


async def test_an_unknown_stream_says_which_ones_there_are(app):
    for use in (lambda: app.streams.chats, lambda: app.streams["chats"]):
        with pytest.raises(UnknownStreamError, match=r"no stream named 'chats'.*mean 'chat'"):
            use()
    assert not hasattr(app.streams, "other")
    empty = Streams(frozenset(), app.store, app.calls)
    with pytest.raises(UnknownStreamError, match=r"has no streams.*\*_stream\.py"):
        empty.chat.get("g", "1")


async def test_a_call_that_nobody_awaits_is_finished_with_the_run(app):
    app.streams.chat.set("g", "1", {"n": 1})
    await app.calls.finish()
    assert [kind for kind, _, _ in await app.told()] == ["create"]
    app.streams.chat.update("g", "1", [{"type": "append", "value": 1}])
    with pytest.raises(UpdateError):
        await app.calls.finish()


async def test_in_a_thread_every_call_gives_its_value(app):
    def work():
        chat = app.streams.chat
        chat.set("g", "1", {"n": 1})
        return chat.get("g", "1")["n"], len(chat.get_group("g")), chat.delete("g", "1")["id"]

    assert await asyncio.to_thread(work) == (1, 1, "1")


async def test_changes_are_values(app):
    await app.streams.chat.set("g", "1", {"n": 1})
    (change,) = await app.store.changes_since("chat", "g", app.version)
    assert isinstance(change, Change)
    assert (change.stream, change.group) == ("chat", "g")
