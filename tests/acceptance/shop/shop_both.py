"""The shop's tests: the same in memory and on real servers."""

import pytest


async def order(app, id="1", customer="ann", **fields):
    answer = await app.client.post(f"/orders/{customer}", json={"id": id, "item": "lamp", **fields})
    assert answer.status_code == 202, answer.text


@pytest.mark.asyncio
async def test_an_order_is_placed_charged_and_shipped(step_tester):
    async with step_tester as app, app.join("parcels", "all") as parcels:
        await order(app)
        ended = await app.settle()
        assert {run.step for run in ended} == {
            "place-order",
            "charge",
            "ledger",
            "welcome",
            "ship",
        }
        assert {run.status for run in ended} == {"completed"}
        stored = await app.state.get("orders", "1")
        assert (stored["status"], stored["receipt"]) == ("shipped", "receipt-1")
        item = await app.streams.get("parcels", "all", "1")
        assert item["status"] == "on its way"
        (told,) = await parcels.until(lambda items: items)
        assert (told["id"], told["status"]) == ("1", "on its way")
        paid = await app.emits("order.paid")
        assert [one.data for one in paid] == [{"id": "1", "receipt": "receipt-1"}]
        assert {(line.step, line.message) for line in await app.logs("info")} == {
            ("place-order", "Order placed"),
            ("welcome", "Welcome"),
            ("ship", "Shipped"),
        }
        assert len({run.trace_id for run in ended}) == 1
        assert await app.settle() == []


@pytest.mark.asyncio
async def test_time_brings_what_was_delayed(step_tester):
    async with step_tester as app:
        await order(app)
        await app.settle()
        assert await app.runs("remind") == []
        (reminder,) = await app.emits("order.reminder")
        assert reminder.delay_seconds == 3
        await app.advance(4)
        assert (await app.run("remind")).status == "completed"
        assert await app.state.get("reminders", "1") == {"count": 1}


@pytest.mark.asyncio
async def test_an_outage_is_survived_and_a_declined_card_is_not(step_tester):
    async with step_tester as app:
        await order(app, "1", outages=2)
        await order(app, "2", declined=True)
        await app.settle()
        runs = {run.input["id"]: run for run in await app.runs("charge")}
        assert (runs["1"].status, runs["1"].attempts) == ("completed", 3)
        assert [line.number for line in runs["1"].record.attempts] == [1, 2, 3]
        assert (runs["2"].status, runs["2"].attempts) == ("failed", 1)
        assert runs["2"].error.type == "CardDeclined"
        (letter,) = await app.dead_letters("charge")
        assert (letter.id, letter.topic, letter.data["id"]) == (runs["2"].id, "order.placed", "2")
        await app.replay(letter)
        await app.settle()
        assert len(await app.dead_letters()) == 1


@pytest.mark.asyncio
async def test_a_customers_orders_are_kept_in_order(step_tester):
    async with step_tester as app:
        await order(app, "1", smudged=True)
        await order(app, "2")
        await order(app, "3", customer="bob")
        await app.settle()
        assert await app.state.get("ledger", "ann") == ["1", "2"]
        assert await app.state.get("ledger", "bob") == ["3"]


@pytest.mark.asyncio
async def test_what_is_delivered_twice(step_tester):
    async with step_tester as app:
        await order(app)
        await app.settle()
        await app.redeliver(await app.run("charge"))
        await app.redeliver(await app.run("welcome"))
        await app.settle()
        assert [line.number for line in (await app.run("charge")).record.attempts] == [1, 1]
        assert len((await app.run("welcome")).logs) == 1


def test_the_night_is_called_without_await(step_tester_sync):
    app = step_tester_sync
    app.client.post("/orders/ann", json={"id": "1", "item": "lamp"})
    app.tick("nightly")
    app.settle()
    assert app.run("nightly").status == "completed"
    assert app.state.get("reports", "orders") == 1
    assert app.may_join("parcels", {"groupId": "all"})
    assert not app.may_join("parcels", {"groupId": "others"})


@pytest.mark.asyncio
async def test_a_key_is_emitted_once(step_tester):
    async with step_tester as app:
        data = {"id": "9", "customer": "cleo"}
        assert await app.emit("order.placed", data, id="order-9")
        assert not await app.emit("order.placed", data, id="order-9")
        await app.settle()
        assert (await app.run("welcome")).input == data
