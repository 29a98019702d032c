"""Server-Sent Events of a group or an item, from a real server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from unit.run.stream_apps import SECONDS, Authentication, Rules, Served, Session, serving

from motia_celery.run import event_source
from motia_celery.run.messages import Place

EVENTS = {"accept": "text/event-stream"}


class Events:
    """What a response says."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.comments = 0
        self._lines = response.aiter_lines()

    async def next(self) -> Any:
        """The next event: its id and its data."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(SECONDS):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    fields[name] = value
                elif "data" in fields:
                    return fields["id"], json.loads(fields["data"])
        raise EOFError

    async def comment(self) -> None:
        """Returns after the next comment."""
        async with asyncio.timeout(SECONDS):
            async for line in self._lines:
                if line.startswith(":"):
                    return

    async def end(self) -> None:
        """Returns when the response has ended."""
        async with asyncio.timeout(SECONDS):
            async for _ in self._lines:
                pass


@asynccontextmanager
async def following(web: Served, path: str, **headers: str) -> AsyncIterator[Events]:
    async with httpx.AsyncClient(timeout=SECONDS) as client:
        url = f"{web.http}/__motia/streams/{path}"
        async with client.stream("GET", url, headers=EVENTS | headers) as response:
            if response.status_code != 200:
                await response.aread()
            yield Events(response)


async def test_a_group_and_its_changes() -> None:
    async with serving() as web, following(web, "todo/in%2Fbox") as events:
        assert events.response.headers["content-type"].startswith("text/event-stream")
        assert events.response.headers["access-control-allow-origin"] == "*"
        _, sync = await events.next()
        await web.store.set("todo", "in/box", "1", {"text": "ä"})
        id, created = await events.next()
        version = (await web.store.snapshot("todo", "in/box")).version
    assert sync["event"] == {"type": "sync", "data": []}
    assert created["event"] == {"type": "create", "data": {"text": "ä", "id": "1"}}
    assert (created["groupId"], created["id"], id) == ("in/box", "1", str(version))


async def test_one_item() -> None:
    async with serving() as web:
        await web.store.set("todo", "g", "1", {"n": 1})
        async with following(web, "todo/g/1") as events:
            _, sync = await events.next()
            await web.store.set("todo", "g", "2", {"n": 2})
            await web.store.set("todo", "g", "1", {"n": 3})
            _, update = await events.next()
    assert sync["event"] == {"type": "sync", "data": {"n": 1, "id": "1"}}
    assert update["event"] == {"type": "update", "data": {"n": 3, "id": "1"}}


@pytest.mark.parametrize("by", ["header", "query"])
async def test_a_client_that_comes_back_hears_what_it_missed(by: str) -> None:
    async with serving() as web:
        await web.store.set("todo", "g", "1", {"n": 1})
        async with following(web, "todo/g") as events:
            last, _ = await events.next()
        await web.store.set("todo", "g", "1", {"n": 2})
        await web.store.send("todo", "g", None, {"type": "t", "data": 3})
        path = "todo/g" + (f"?lastEventId={last}" if by == "query" else "")
        headers = {"last-event-id": last} if by == "header" else {}
        async with following(web, path, **headers) as events:
            missed = [await events.next() for _ in range(2)]
            await web.store.set("todo", "g", "1", {"n": 4})
            _, update = await events.next()
    assert [message["event"]["type"] for _, message in missed] == ["update", "event"]
    assert update["event"]["data"]["n"] == 4


@pytest.mark.parametrize("last", ["1", "9999999999999999", "-1", "x"])
async def test_who_was_away_for_too_long_gets_all_again(last: str) -> None:
    async with serving() as web:
        await web.store.set("todo", "g", "1", {"n": 1})
        async with following(web, "todo/g", **{"last-event-id": last}) as events:
            _, sync = await events.next()
    assert sync["event"] == {"type": "sync", "data": [{"n": 1, "id": "1"}]}


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("nowhere/g", 404, "Stream nowhere not found"),
        ("chat/g?authToken=secret", 403, "Access denied"),
        ("chat/g?authToken=wrong", 401, "Authentication failed"),
        ("chat", 404, "Expected /__motia/streams/<stream>/<group>[/<id>]"),
    ],
)
async def test_who_does_not_get_in_is_told_why(path: str, status: int, error: str) -> None:
    async def nobody(subscription: Any, auth_context: Any) -> bool:
        return False

    auth = Authentication(secret={})
    async with serving(rules=Rules(chat=nobody), auth=auth) as web:
        async with following(web, path, origin="https://shop.example") as events:
            answer = events.response
    assert (answer.status_code, answer.json()) == (status, {"error": error})
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_pages_of_named_origins_alone_may_follow() -> None:
    async with serving(cors_origins="https://shop.example") as web:
        async with following(web, "todo/g", origin="https://evil.example") as events:
            assert events.response.status_code == 403
        async with following(web, "todo/g", origin="https://shop.example") as events:
            headers = events.response.headers
            assert headers["access-control-allow-origin"] == "https://shop.example"


async def test_other_requests_to_the_path_get_an_answer() -> None:
    async with serving() as web, httpx.AsyncClient() as client:
        url = f"{web.http}/__motia/streams/todo/g"
        posted = await client.post(url)
        assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert (await client.options(url)).status_code == 204
        asked = await client.get(url, headers={"accept": "text/html"})
        assert asked.status_code == 406
        head = await client.head(url)
        assert (head.status_code, head.content) == (200, b"")


async def test_something_is_said_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_source, "HEARTBEAT_SECONDS", 0.05)
    async with serving() as web, following(web, "todo/g") as events:
        await events.next()
        await events.comment()


async def test_a_response_ends_with_the_process_and_with_the_authentication() -> None:
    auth = Authentication(short={"exp": time.time() + 1})
    async with serving(auth=auth) as web:
        async with following(web, "todo/g?authToken=short") as events:
            await events.end()
        async with following(web, "todo/g") as events:
            await events.next()
            web.server.should_exit = True
            await events.end()


@pytest.mark.parametrize("stays", [True, False])
async def test_a_client_stays_while_it_is_known_anew_and_may_follow(stays: bool) -> None:
    """Until that is said nothing is told."""

    async def rule(subscription: Any, auth_context: Any) -> bool:
        return bool(auth_context["may"])

    session = Session({"may": True}, {"may": stays})
    auth = Authentication(secret=session)
    async with serving(rules=Rules(chat=rule), auth=auth) as web:
        async with following(web, "chat/g?authToken=secret") as events:
            await events.next()
            await session.end()
            await web.store.set("chat", "g", "1", {"n": 1})
            session.may_answer.set()
            if stays:
                _, told = await events.next()
                assert told["event"]["data"] == {"n": 1, "id": "1"}
            else:
                with pytest.raises(EOFError):
                    await events.next()


async def test_who_goes_is_forgotten() -> None:
    async with serving() as web:
        async with following(web, "todo/g") as events:
            await events.next()
            assert web.live.followed == 1
        async with asyncio.timeout(SECONDS):
            while web.live.followed:
                await asyncio.sleep(0.01)
    assert web.rules.gone == [("todo", {"groupId": "g"}, None)]


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async with serving(stream_queue_messages=20) as web:
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port, limit=1024)
        writer.write(b"GET /__motia/streams/todo/g HTTP/1.1\r\nhost: localhost\r\n\r\n")
        async with asyncio.timeout(SECONDS):
            await reader.readuntil(b"sync")
            for _ in range(400):
                await web.store.send("todo", "g", None, {"type": "n", "data": "x" * 100_000})
                await asyncio.sleep(0)
            while web.live.followed:
                await asyncio.sleep(0.01)
        writer.close()


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("a/b", Place("a", "b")),
        ("a/b/c", Place("a", "b", "c")),
        ("a%2Fx/b%25", Place("a/x", "b%")),
        ("a", None),
        ("a/", None),
        ("a/b/c/d", None),
    ],
)
def test_a_path_names_a_place(path: str, place: Any) -> None:
    assert event_source.place_of(f"/__motia/streams/{path}") == place
