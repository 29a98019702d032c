"""The shop in memory, in milliseconds and without a server."""

import pytest


def order(app, item="lamp", quantity=2):
    body = {"item": item, "quantity": quantity, "email": "ann@example.com"}
    answer = app.client.post("/orders", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()["orderId"]


def shown(app, id):
    return app.client.get(f"/orders/{id}").json()


def test_an_order_is_paid_at_the_second_try(step_tester_sync):
    app = step_tester_sync
    id = order(app)
    app.settle()
    assert shown(app, id)["status"] == "paid"
    charge = app.run("charge-card")
    assert (charge.status, charge.attempts) == ("completed", 2)
    # The key is the same at each attempt, so that nobody pays twice.
    assert shown(app, id)["receipt"] == {"amount": 40, "key": charge.id}


def test_a_customer_follows_her_orders(step_tester_sync):
    app = step_tester_sync
    with app.join("orders", "ann@example.com") as orders:
        order(app)
        app.settle()
        orders.until(lambda items: items and items[0]["status"] == "paid")
    with app.join("orders", "bob@example.com") as orders:
        assert orders.next().data == []


def test_what_is_sold_out_is_rejected(step_tester_sync):
    app = step_tester_sync
    ids = [order(app, "table", 1) for _ in range(2)]
    app.settle()
    assert {shown(app, id)["status"] for id in ids} == {"paid", "rejected"}
    (rejected,) = app.emits("order.rejected")
    assert rejected.data["reason"] == "sold out"


def test_a_gateway_that_stays_away_leaves_a_dead_letter(step_tester_sync, monkeypatch):
    app = step_tester_sync
    if app.on_servers:
        pytest.skip("a patch does not reach a worker")

    async def away(*arguments, **keywords):
        raise ConnectionError("no route to the gateway")

    with monkeypatch.context() as patch:
        patch.setattr(app.module("charge-card"), "charge", away)
        id = order(app)
        app.settle()
    assert (app.run("charge-card").status, app.run("charge-card").attempts) == ("failed", 5)
    assert shown(app, id)["status"] == "accepted"
    (letter,) = app.dead_letters("charge-card")
    app.replay(letter)
    app.settle()
    assert shown(app, id)["status"] == "paid"


def test_the_shelves_are_filled_up(step_tester_sync):
    app = step_tester_sync
    order(app, "chair", 3)
    app.settle()
    assert app.state.get("stock", "chair") == 0
    app.advance(10)
    assert app.state.get("stock", "chair") == 3


@pytest.mark.parametrize("quantity", [0, 101])
def test_an_order_has_a_sensible_size(step_tester_sync, quantity):
    body = {"item": "lamp", "quantity": quantity, "email": "ann@example.com"}
    assert step_tester_sync.client.post("/orders", json=body).status_code == 400
