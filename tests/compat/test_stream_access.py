"""Who may follow a stream: section 6.4."""

from __future__ import annotations

import pytest
from compat.rules import rule
from compat.wire import Wire, events

from motia_celery.errors import StreamRefusedError
from motia_celery.testing import StepTester

DENIED = {"code": "STREAM_ACCESS_DENIED", "message": "Access denied"}


async def joins(wire: Wire, stream: str, *place: str) -> bool:
    """Whether a join of a group, or of an item, is answered by no refusal."""
    wire.join(stream, *place, name="/".join(place))
    return ("error", DENIED) not in events(await wire.until_answered())


@rule("6.4", "`streamAuth.authenticate({headers, url})` says who a client is, at the handshake")
@rule("6.4", "`headers` have lower-cased names, `url` is the path with the query")
async def test_authenticate_gets_headers_and_url(app: StepTester) -> None:
    async with app:
        async with Wire(app, "/live?room=1", headers={"X-User": "Ann"}) as wire:
            assert await joins(wire, "notes", "all")
        async with Wire(app, "/live?room=2", headers={"X-User": "Ann"}) as wire:
            assert not await joins(wire, "notes", "all")


@rule("6.4", "What `authenticate` gives is kept for the socket, and given to each `canAccess`")
async def test_authenticate_runs_once_for_a_socket(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        assert await joins(wire, "notes", "1")
        assert await joins(wire, "notes", "1", "item")
        async with Wire(app) as other:
            assert await joins(other, "notes", "2")
            assert not await joins(other, "notes", "1")


@rule("6.4", "An error of `authenticate` is a 401 with `Authentication failed`, and no socket")
async def test_an_error_of_authenticate_is_a_401(app: StepTester) -> None:
    async with app:
        async with Wire(app) as wire:
            assert wire.refused == (401, "Authentication failed")
        async with Wire(app, headers={"Authorization": "Bearer 1"}) as wire:
            assert wire.refused is None and await joins(wire, "open", "all")


@rule("6.4", "`authenticate` that gives `null` makes the client anonymous: `canAccess` gets null")
@rule("6.4", "A token may travel in the query, as `?authToken=`")
@rule("6.4", "`contextSchema` is for types alone")
async def test_null_is_an_anonymous_client(app: StepTester) -> None:
    async with app:
        for url, group in (("/", "public"), ("/?authToken=ann", "private")):
            async with Wire(app, url) as wire:
                found = {name for name in ("public", "private") if await joins(wire, "notes", name)}
                assert found == {group}


@rule("6.4", "A token may travel in a subprotocol: `['Authorization', token]`")
@rule("6.4", "The first subprotocol that a client offers is echoed, as browsers need")
async def test_a_token_travels_in_a_subprotocol(app: StepTester) -> None:
    async with app:
        async with Wire(app, protocols=["Authorization", "ann"]) as wire:
            assert wire.protocol == "Authorization"
            assert await joins(wire, "notes", "ann")
            assert not await joins(wire, "notes", "bob")
        async with app.join("notes", "bob", token="bob") as client:
            assert (await client.next()).data == []


@rule("6.4", "`canAccess(subscription, authContext)` is asked at each join; false denies")
@rule("6.4", "`subscription` is `{groupId}`, with `id` where one item is joined")
@rule("6.4", "A join that is denied is told so; the socket and its other subscriptions stay")
@rule("6.4", "In Python `canAccess` may be `def`, and is given dicts")
async def test_access_is_asked_at_each_join(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        for place, allowed in ((("open",), True), (("team",), False), (("team", "1"), True)):
            assert await joins(wire, "notes", *place) is allowed
        await app.streams.set("notes", "team", "2", {"text": "secret"})
        await app.streams.set("notes", "team", "1", {"text": "told"})
        assert [one["id"] for one in await wire.until_end("notes", "open")] == ["1"]


@rule("6.4", "`canAccess` in TypeScript may be async, and import what the project has")
async def test_access_rules_in_typescript(app: StepTester) -> None:
    async with app:
        headers = {"x-rooms": "lobby kitchen"}
        async with Wire(app, headers=headers) as wire:
            assert await joins(wire, "chat", "lobby")
            assert not await joins(wire, "chat", "cellar")
        with pytest.raises(StreamRefusedError):
            async with app.join("chat", "cellar", headers=headers):
                pass


@rule("6.4", "An error of `canAccess` denies")
async def test_an_error_of_an_access_rule_denies(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("notes", "all")
        assert events([await wire.next()]) == [("error", DENIED)]


@rule("6.4", "A stream without `canAccess` is open to everyone")
async def test_a_stream_without_a_rule_is_open(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        assert await joins(wire, "notes", "all")
        assert await joins(wire, "notes", "all", "1")


@rule(
    "6.4",
    "Access is asked at the join, and lasts as long as the subscription",
    better="where `authenticate` gives an end (`exp` or `expiresAt`) both are asked again then",
)
async def test_access_may_have_an_end(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        wire.join("notes", "open", name="1")
        wire.join("notes", "secret", name="2")
        # Only when it is asked again, the session is the second one.
        while (denied := await wire.next())["event"]["type"] != "event":
            pass
        await app.streams.set("notes", "secret", "1", {"text": "not told"})
        await app.streams.set("notes", "open", "1", {"text": "told"})
        told = await wire.until_end("notes", "open")
    assert events([denied]) == [("error", DENIED)] and denied["groupId"] == "secret"
    assert [one["groupId"] for one in told] == ["open"]


@rule(
    "6.4",
    "Each call of `canAccess` has a process of its own",
    different="they share one, so that a join takes no start of a process; what they leave in "
    "their module is there at the next call",
)
async def test_access_rules_share_a_process(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        assert await joins(wire, "notes", "1")
        assert await joins(wire, "notes", "2")


@rule(
    "6.4",
    "Internal streams such as `__motia.logs` are open to everyone",
    different="there are none on the public port: logs and traces are the Workbench's, which is "
    "guarded",
)
async def test_logs_are_not_streamed_to_everyone(app: StepTester) -> None:
    async with app, Wire(app) as wire:
        for name in ("__motia.logs", "__motia.trace", "__motia.flows"):
            assert not await joins(wire, name, "default")
