"""Motia's WebSocket protocol, spoken to a real server."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from unit.run.stream_apps import (
    Authentication,
    Rules,
    Session,
    join,
    leave,
    nothing_more,
    receive,
    serving,
)
from unit.run.web_apps import api
from websockets.exceptions import ConnectionClosed, InvalidStatus

from motia_celery.run import socket_connection, websocket

DENIED = {"type": "error", "data": {"code": "STREAM_ACCESS_DENIED", "message": "Access denied"}}


def without_time(message: Any) -> Any:
    return {key: value for key, value in message.items() if key != "timestamp"}


async def test_a_group_is_told_at_once_and_then_its_changes() -> None:
    async with serving() as web, web.connect() as client:
        await web.store.set("todo", "inbox", "t1", {"text": "a"})
        await client.send(join("todo", "inbox"))
        await receive(client)
        await web.store.set("todo", "inbox", "t2", {"text": "b"})
        await web.store.set("todo", "inbox", "t2", {"text": "c"})
        await web.store.delete("todo", "inbox", "t2")
        await web.store.set("todo", "other", "t3", {"text": "d"})
        await web.store.send("todo", "inbox", None, {"type": "typing", "data": {"user": "u"}})
        messages = await receive(client, 4)
    place = {"streamName": "todo", "groupId": "inbox"}
    item = {**place, "id": "t2"}
    assert [without_time(message) for message in messages] == [
        {**item, "event": {"type": "create", "data": {"text": "b", "id": "t2"}}},
        {**item, "event": {"type": "update", "data": {"text": "c", "id": "t2"}}},
        {**item, "event": {"type": "delete", "data": {"text": "c", "id": "t2"}}},
        {
            **place,
            "event": {"type": "event", "event": {"type": "typing", "data": {"user": "u"}}},
        },
    ]


async def test_the_first_message_is_the_whole_group_or_the_item() -> None:
    async with serving() as web, web.connect("/a/path?of=its+own") as client:
        await client.send(join("todo", "inbox"))
        (empty,) = await receive(client)
        await web.store.set("todo", "inbox", "t1", {"text": "a"})
        await receive(client)
        await client.send(join("todo", "inbox", "t1", name="s2"))
        (item,) = await receive(client)
        await client.send(join("todo", "inbox", name="s3"))
        (group,) = await receive(client)
    place = {"streamName": "todo", "groupId": "inbox"}
    held = {"text": "a", "id": "t1"}
    assert without_time(empty) == {**place, "event": {"type": "sync", "data": []}}
    assert without_time(item) == {**place, "id": "t1", "event": {"type": "sync", "data": held}}
    assert without_time(group) == {**place, "event": {"type": "sync", "data": [held]}}
    assert abs(group["timestamp"] - time.time() * 1000) < 60_000


async def test_an_item_that_never_was_is_told_when_it_comes() -> None:
    async with serving() as web, web.connect() as client:
        await client.send(join("todo", "inbox", "t1"))
        await nothing_more(client, web)
        await web.store.set("todo", "inbox", "t2", {"text": "other"})
        await web.store.set("todo", "inbox", "t1", {"text": "a"})
        (created,) = await receive(client)
    assert (created["id"], created["event"]["type"]) == ("t1", "create")


async def test_an_item_that_went_while_its_client_was_away_is_told_as_gone() -> None:
    async with serving() as web, web.connect() as client:
        await web.store.set("todo", "inbox", "t1", {"text": "a"})
        await web.store.delete("todo", "inbox", "t1")
        await client.send(join("todo", "inbox", "t1"))
        (gone,) = await receive(client)
    assert gone["event"] == {"type": "delete", "data": {"text": "a", "id": "t1"}}


async def test_a_socket_with_several_subscriptions_gets_one_message() -> None:
    async with serving() as web, web.connect() as client:
        await client.send(join("todo", "inbox", name="s1"))
        await client.send(join("todo", "inbox", name="s2"))
        await client.send(join("todo", "inbox", "t1", name="s3"))
        await receive(client, 2)
        await nothing_more(client, web)
        await web.store.send("todo", "inbox", "t1", {"type": "ping", "data": None})
        await web.store.set("todo", "inbox", "t1", {})
        event, created = await receive(client, 2)
        await nothing_more(client, web)
    assert event["event"] == {"type": "event", "event": {"type": "ping", "data": None}}
    assert event["id"] == "t1"
    assert created["event"]["type"] == "create"


async def test_what_was_left_is_not_told() -> None:
    async with serving() as web, web.connect() as client:
        await client.send(join("todo", "inbox", name="s1"))
        await client.send(join("todo", "inbox", "t1", name="s2"))
        await receive(client)
        await client.send(json.dumps({"type": "leave", "data": {"groupId": "inbox"}}))
        await client.send(leave("todo", "inbox", name="s1"))
        await nothing_more(client, web)
        await web.store.set("todo", "inbox", "t2", {})
        await web.store.set("todo", "inbox", "t1", {})
        (message,) = await receive(client)
        assert message["id"] == "t1"
        await client.send(leave("todo", "inbox", "t1", name="s2"))
        await nothing_more(client, web)
        await web.store.set("todo", "inbox", "t1", {})
        await nothing_more(client, web)
        assert web.live.followed == 0


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "7",
        '{"type":"ping","timestamp":1}',
        '{"type":"join"}',
        '{"type":"join","data":[]}',
        '{"type":"join","data":{"streamName":"todo"}}',
        '{"type":"join","data":{"streamName":["todo"],"groupId":{},"subscriptionId":null}}',
        b"\x00\xff",
    ],
)
async def test_what_is_none_of_the_protocol_is_ignored(text: str | bytes) -> None:
    async with serving() as web, web.connect() as client:
        await client.send(text)
        await nothing_more(client, web)


async def test_a_stream_that_is_not_there_is_said_in_motias_words() -> None:
    async with serving() as web, web.connect() as client:
        await client.send(join("missing", "g", "i"))
        first, second = await receive(client, 2)
    place = {"streamName": "missing", "groupId": "g", "id": "i"}
    error = {"code": "STREAM_ACCESS_DENIED", "message": "Stream missing not found"}
    event = {"type": "event", "event": {"type": "error", "data": error}}
    assert without_time(first) == {**place, "event": event}
    assert without_time(second) == {**place, "event": {"type": "event", "event": DENIED}}


async def test_who_may_not_join_is_told_so_and_hears_nothing() -> None:
    async def rule(subscription: Any, auth_context: Any) -> bool:
        return auth_context is not None and subscription["groupId"] == auth_context["room"]

    rules, auth = Rules(chat=rule), Authentication(secret={"room": "mine"})
    async with serving(rules=rules, auth=auth) as web:
        async with web.connect("/?authToken=secret") as client:
            await client.send(join("chat", "other"))
            (denied,) = await receive(client)
            await client.send(join("chat", "mine", "i", name="s2"))
            await client.send(join("chat", "mine", name="s3"))
            (sync,) = await receive(client)
            await web.store.set("chat", "other", "1", {})
            await nothing_more(client, web)
    place = {"streamName": "chat", "groupId": "other"}
    assert without_time(denied) == {**place, "event": {"type": "event", "event": DENIED}}
    assert sync["groupId"] == "mine"
    context = {"room": "mine"}
    assert rules.asked == [
        ("chat", {"groupId": "other"}, context),
        ("chat", {"groupId": "mine", "id": "i"}, context),
        ("chat", {"groupId": "mine"}, context),
    ]


async def test_rules_hear_once_of_each_who_left() -> None:
    auth = Authentication(secret={"user": 1})
    async with serving(auth=auth) as web:
        async with web.connect("/?authToken=secret") as client:
            await client.send(join("todo", "a", name="s1"))
            await client.send(join("todo", "b", "1", name="s2"))
            await client.send(leave("todo", "a", name="s1"))
            await client.send(leave("todo", "a", name="s1"))
            await receive(client)
            await nothing_more(client, web)
            assert web.rules.gone == [("todo", {"groupId": "a"}, {"user": 1})]
        async with asyncio.timeout(60):
            while web.live.followed:
                await asyncio.sleep(0.01)
    assert web.rules.gone[1:] == [("todo", {"groupId": "b", "id": "1"}, {"user": 1})]


async def test_the_messages_of_a_socket_are_answered_in_order() -> None:
    """A rule that takes its time holds up what was sent after it."""
    asked = asyncio.Event()
    answered = asyncio.Event()

    async def slow(subscription: Any, auth_context: Any) -> bool:
        asked.set()
        await answered.wait()
        return True

    async with serving(rules=Rules(slow=slow, todo=None)) as web, web.connect() as client:
        await client.send(join("slow", "g", name="s1"))
        await client.send(leave("slow", "g", name="s1"))
        await client.send(join("todo", "g", name="s2"))
        await asked.wait()
        answered.set()
        first, second = await receive(client, 2)
        assert (first["streamName"], second["streamName"]) == ("slow", "todo")
        await web.store.set("slow", "g", "1", {})
        await nothing_more(client, web)


async def test_a_token_comes_by_subprotocol_and_the_first_one_is_echoed() -> None:
    auth = Authentication(secret={"user": 1})
    async with serving(auth=auth) as web:
        async with web.connect("/x", subprotocols=["Authorization", "secret"]) as client:
            assert client.subprotocol == "Authorization"
    headers, url = auth.requests[0]
    assert headers["sec-websocket-protocol"].replace(" ", "") == "Authorization,secret"
    assert url == "/x"


async def test_who_fails_to_authenticate_gets_a_401() -> None:
    async with serving() as web:
        with pytest.raises(InvalidStatus) as refused:
            async with web.connect("/?authToken=wrong"):
                pass
    assert refused.value.response.status_code == 401
    assert refused.value.response.body == b"Authentication failed"


async def test_steps_and_sockets_share_their_paths() -> None:
    async with serving(api("/chat", "GET")) as web, web.connect("/chat") as client:
        await client.send(join("todo", "g"))
        await receive(client)


@pytest.mark.parametrize(
    ("origin", "enters"),
    [("https://shop.example", True), ("https://evil.example", False), (None, True)],
)
async def test_pages_of_other_origins_stay_out_where_origins_are_named(
    origin: Any, enters: bool
) -> None:
    async with serving(cors_origins="https://shop.example") as web:
        try:
            async with web.connect(origin=origin):
                entered = True
        except InvalidStatus as refused:
            entered = refused.response.status_code != 403
    assert entered is enters


async def test_one_address_has_a_limit() -> None:
    async with serving(stream_sockets_per_ip=2) as web:
        async with web.connect(), web.connect() as second:
            with pytest.raises(InvalidStatus) as refused:
                async with web.connect():
                    pass
            assert refused.value.response.status_code == 429
            await second.close()
            async with web.connect():
                pass


async def test_one_socket_has_a_limit() -> None:
    async with serving(stream_subscriptions_per_socket=1) as web, web.connect() as client:
        await client.send(join("todo", "g"))
        await client.send(join("todo", "h", name="s2"))
        _, refused = await receive(client, 2)
        await client.send(leave("todo", "g"))
        await client.send(join("todo", "h", name="s2"))
        (sync,) = await receive(client)
    assert refused["event"]["event"]["data"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
    assert sync["event"]["type"] == "sync"


async def test_a_large_message_closes_the_socket() -> None:
    async with serving(stream_message_bytes=1024) as web, web.connect() as client:
        await client.send("x" * 2000)
        with pytest.raises(ConnectionClosed):
            await receive(client)
        assert client.close_code == 1009


async def test_a_socket_is_closed_when_its_authentication_ends() -> None:
    ends: list[float] = []

    async def short() -> Any:
        ends.append(time.time() + 1)
        return {"exp": ends[0]}

    auth = Authentication(short=short, late={"expiresAt": 1000})
    async with serving(auth=auth) as web:
        async with web.connect("/?authToken=short") as client:
            with pytest.raises(ConnectionClosed):
                await receive(client)
            assert (client.close_code, client.close_reason) == (4401, "Authentication expired")
        with pytest.raises(InvalidStatus) as refused:
            async with web.connect("/?authToken=late"):
                pass
    assert refused.value.response.status_code == 401


async def may_follow(subscription: Any, auth_context: Any) -> bool:
    return subscription["groupId"] in auth_context["rooms"]


async def test_who_is_known_anew_at_the_end_stays_with_what_it_still_may_follow() -> None:
    session = Session({"rooms": ["a", "b"]}, {"rooms": ["b"], "exp": time.time() + 3600})
    rules, auth = Rules(chat=may_follow), Authentication(secret=session)
    async with serving(rules=rules, auth=auth) as web:
        async with web.connect("/?authToken=secret") as client:
            await client.send(join("chat", "a", name="s1"))
            await client.send(join("chat", "a", "1", name="s2"))
            await client.send(join("chat", "b", name="s3"))
            await receive(client, 2)
            await session.end()
            session.may_answer.set()
            denied = await receive(client, 2)
            await web.store.set("chat", "a", "1", {})
            await web.store.set("chat", "b", "1", {})
            (told,) = await receive(client)
            assert web.live.followed == 1
            await client.send(join("chat", "a", name="s4"))
            (refused,) = await receive(client)
    assert {(m["groupId"], m.get("id")) for m in denied} == {("a", None), ("a", "1")}
    for message in (*denied, refused):
        assert message["event"] == {"type": "event", "event": DENIED}
    assert (told["groupId"], told["event"]["type"]) == ("b", "create")
    assert {url for _, url in auth.requests} == {"/?authToken=secret"}


async def test_nothing_is_told_until_it_is_known_who_the_client_is_now() -> None:
    """What changes meanwhile waits; of what the client may not follow any more nothing is told."""
    session = Session({"rooms": ["a", "b"]}, {"rooms": ["b"]})
    rules, auth = Rules(chat=may_follow), Authentication(secret=session)
    async with serving(rules=rules, auth=auth) as web:
        async with web.connect("/?authToken=secret") as client, web.connect() as other:
            await client.send(join("chat", "a", name="s1"))
            await client.send(join("chat", "b", name="s2"))
            await receive(client, 2)
            await session.end()
            for group in ("a", "b"):
                await web.store.set("chat", group, "1", {"n": 1})
            await nothing_more(other, web)  # so what was told has been told
            await client.send(join("chat", "b", "1", name="s3"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.recv()
            session.may_answer.set()
            denied, told, sync = sorted(await receive(client, 3), key=lambda m: m["groupId"])
    assert denied["event"] == {"type": "event", "event": DENIED}
    assert told["event"] == {"type": "create", "data": {"n": 1, "id": "1"}}
    assert sync["event"] == {"type": "sync", "data": {"n": 1, "id": "1"}}


async def test_who_is_refused_at_the_end_is_told_nothing_more() -> None:
    session = Session({"rooms": ["a"]}, None)
    rules, auth = Rules(chat=may_follow), Authentication(secret=session)
    async with serving(rules=rules, auth=auth) as web:
        async with web.connect("/?authToken=secret") as client:
            await client.send(join("chat", "a"))
            await receive(client)
            await session.end()
            await web.store.set("chat", "a", "1", {})
            session.may_answer.set()
            with pytest.raises(ConnectionClosed):
                await receive(client)
            assert (client.close_code, client.close_reason) == (4401, "Authentication expired")


async def test_sockets_are_closed_when_the_process_ends() -> None:
    async with serving() as web, web.connect() as client:
        await client.send(join("todo", "g"))
        await receive(client)
        web.server.should_exit = True
        with pytest.raises(ConnectionClosed):
            await receive(client)
        assert client.close_code == 1012


async def test_a_client_that_answers_no_ping_is_closed() -> None:
    async with serving(stream_ping_seconds=0.2) as web:
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        async with asyncio.timeout(60):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
            head = await reader.readexactly(2)
            assert head[0] == 0x89, "a ping"
            await reader.readexactly(head[1])
            head, code = await reader.readexactly(2), await reader.readexactly(2)
        assert (head[0], int.from_bytes(code, "big")) == (0x88, 1011)
        writer.close()


async def test_a_client_that_does_not_read_is_closed_and_harms_no_other() -> None:
    async with serving(stream_queue_messages=50) as web:
        async with web.connect(max_queue=1) as slow, web.connect() as quick:
            for client in (slow, quick):
                await client.send(join("todo", "g"))
            await receive(quick)
            while web.live.followed < 2:
                await asyncio.sleep(0.01)
            big = "x" * 100_000
            for n in range(200):
                await web.store.send("todo", "g", None, {"type": "n", "data": [n, big]})
                (message,) = await receive(quick)
                assert message["event"]["event"]["data"][0] == n
            while web.live.followed > 1:
                await asyncio.sleep(0.01)
            with pytest.raises(ConnectionClosed):
                while True:
                    await receive(slow)
            assert slow.close_code == 1013


async def test_a_close_does_not_wait_for_what_was_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that reads on after a while learns why it was closed."""
    monkeypatch.setattr(websocket, "_CLOSE_SECONDS", 0)
    monkeypatch.setattr(socket_connection, "CUT_SECONDS", 60)
    async with serving(stream_queue_messages=50) as web, web.connect(max_queue=1) as client:
        await client.send(join("todo", "g"))
        await receive(client)
        while web.live.followed:
            await web.store.send("todo", "g", None, {"type": "n", "data": "x" * 100_000})
            await asyncio.sleep(0)
        with pytest.raises(ConnectionClosed):
            while True:
                await receive(client)
        assert client.close_code == 1013


async def test_a_slow_client_gets_the_newest_state_alone() -> None:
    async with serving(stream_queue_messages=10) as web, web.connect(max_queue=1) as client:
        await client.send(join("todo", "g"))
        await receive(client)
        big = "x" * 100_000
        for n in range(300):
            await web.store.set("todo", "g", "1", {"n": n, "big": big})
            await asyncio.sleep(0)
        seen: list[Any] = []
        while not seen or seen[-1]["event"]["data"]["n"] < 299:
            seen += await receive(client)
    stamps = [message["timestamp"] for message in seen]
    assert stamps == sorted(set(stamps))
    assert len(seen) < 300
    assert [message["event"]["type"] for message in seen[:1]] == ["create"]
