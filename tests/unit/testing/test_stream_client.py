"""Clients of streams in the tester: they are told what a browser would be told."""

from __future__ import annotations

import pytest
from unit.testing.conftest import Write

from motia_celery.errors import StreamRefusedError, UnsettledError
from motia_celery.testing import StepTester, StreamMessage, SyncStepTester

STEPS = {
    "place": """
        config = {"type": "event", "name": "place", "subscribes": ["order.placed"], "emits": []}

        async def handler(order, context):
            await context.streams.orders.set("ann", order["id"], {"status": "placed"})
            await context.streams.orders.update(
                "ann", order["id"], [{"type": "set", "path": "status", "value": "paid"}]
            )
            await context.streams.orders.send({"groupId": "ann"}, {"type": "told", "data": 1})
    """,
}
STREAM = """
def can_access(subscription, auth_context):
    return subscription["groupId"] != "secret" or auth_context == {"user": "ann"}


config = {
    "name": "orders",
    "schema": None,
    "baseConfig": {"storageType": "default"},
    "canAccess": can_access,
}
"""
AUTHENTICATION = """
async def authenticate(request):
    token = (request["headers"].get("sec-websocket-protocol") or "").partition(", ")[2]
    if not token:
        return None
    if token != "anns":
        raise PermissionError(token)
    return {"user": "ann"}


stream_auth = {"authenticate": authenticate}
"""


@pytest.fixture
def shop(project: Write) -> str:
    root = project(**STEPS)
    (root / "steps" / "orders_stream.py").write_text(STREAM)
    (root / "motia_config.py").write_text(AUTHENTICATION)
    return str(root)


async def test_a_client_reads_what_is_there_and_every_change(shop: str) -> None:
    async with StepTester(shop) as app:
        await app.streams.set("orders", "ann", "0", {"status": "paid"})
        async with app.join("orders", "ann") as group, app.join("orders", "ann", "1") as one:
            await app.emit("order.placed", {"id": "1"})
            await app.settle()
            told = [await group.next() for _ in range(4)]
            assert [(message.type, message.id) for message in told] == [
                ("sync", None),
                ("create", "1"),
                ("update", "1"),
                ("event", None),
            ]
            assert told[3] == StreamMessage(type="event", data=1, event="told")
            assert [item["status"] for item in group.items] == ["paid", "paid"]
            assert group.messages == told
            # Of an item that is not there yet nothing is told at first.
            assert [(await one.next()).type for _ in range(2)] == ["create", "update"]
            await app.streams.delete("orders", "ann", "1")
            assert len(await group.until(lambda items: len(items) == 1)) == 1
            assert await one.until(lambda items: not items) == []


async def test_rules_are_asked_as_in_production(shop: str) -> None:
    async with StepTester(shop) as app:
        for place, token in (
            (("orders", "secret"), None),
            (("orders", "secret"), "bobs"),
            (("parcels", "ann"), None),
        ):
            with pytest.raises(StreamRefusedError, match="/".join(place)):
                async with app.join(*place, token=token):
                    pass
        async with app.join("orders", "secret", token="anns") as client:
            assert (await client.next()).data == []


async def test_what_never_comes_is_told(shop: str) -> None:
    async with StepTester(shop, timeout_seconds=0.2) as app, app.join("orders", "ann") as client:
        assert (await client.next()).type == "sync"
        with pytest.raises(UnsettledError, match=r"orders/ann: no message came in 0\.2 s; 1 came"):
            await client.next()


def test_plain_functions_read_streams_without_await(shop: str) -> None:
    with SyncStepTester(shop) as app, app.join("orders", "ann") as client:
        app.emit("order.placed", {"id": "1"})
        (item,) = client.until(lambda items: items and items[0]["status"] == "paid")
        assert item["id"] == "1"
        assert {message.type for message in client.messages} <= {"sync", "create", "update"}
        with pytest.raises(StreamRefusedError), app.join("orders", "secret"):
            pass
