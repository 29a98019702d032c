"""What only the memory has: a clock, and modules that a test may change."""

from datetime import UTC, datetime, timedelta

import pytest

from motia_celery.testing import StepTester

NIGHT = datetime(2030, 1, 1, 1, 30, tzinfo=UTC)


@pytest.mark.asyncio
async def test_the_schedule_fires_at_its_time_of_day():
    async with StepTester(now=NIGHT) as app:
        await app.advance(timedelta(minutes=29))
        assert await app.runs("nightly") == []
        await app.advance(timedelta(days=2))  # 3 o'clock in Berlin is 2 in UTC
        assert len(await app.runs("nightly", "completed")) == 2
        assert app.now == NIGHT + timedelta(days=2, minutes=29)


@pytest.mark.anyio
async def test_a_gateway_is_replaced(step_tester, monkeypatch, anyio_backend):
    from steps.services import gateway

    async with step_tester as app:
        assert app.module("charge").gateway is gateway
        monkeypatch.setattr(gateway, "charge", lambda order, attempt: "fake")
        await app.emit("order.placed", {"id": "1", "customer": "ann"})
        await app.settle()
        assert [one.data["receipt"] for one in await app.emits("order.paid")] == ["fake"]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.asyncio
async def test_one_python_handler(call_step):
    called = await call_step("steps/charge_step.py", {"id": "7"})
    assert [(one.topic, one.data) for one in called.emits] == [
        ("order.reminder", {"id": "7"}),
        ("order.paid", {"id": "7", "receipt": "receipt-1"}),
    ]
    with pytest.raises(ConnectionError):
        await call_step("steps/charge_step.py", {"id": "7", "outages": 1})


def test_one_typescript_handler(call_step_sync):
    called = call_step_sync(
        "steps/place_order.step.ts",
        body={"id": "7", "item": "rug"},
        path_params={"customer": "ann"},
    )
    assert (called.status, called.body) == (202, {"id": "7"})
    assert called.state["orders"]["7"]["status"] == "placed"
    assert [one.topic for one in called.emits] == ["order.placed"]
    assert [line.message for line in called.logs] == ["Order placed"]
    assert call_step_sync("steps/place_order.step.ts", body={}).status == 400


def test_one_handler_with_what_is_there_before(call_step_sync):
    called = call_step_sync(
        "steps/ship.step.ts", {"id": "7"}, state={"orders": {"7": {"item": "rug"}}}
    )
    assert called.state["orders"]["7"] == {"item": "rug", "status": "shipped"}
    (change,) = called.stream_changes
    assert (change.stream, change.group, change.id) == ("parcels", "all", "7")
    assert called.streams["parcels"]["all"]["7"]["status"] == "on its way"


@pytest.mark.asyncio
async def test_a_module_is_called_as_it_is(call_step):
    from steps import nightly_step

    called = await call_step(nightly_step, state={"orders": {"1": {}, "2": {}}})
    assert called.state["reports"] == {"orders": 2}
