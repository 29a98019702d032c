"""The official React hooks in a browser, against the example app and a worker of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from browser.shop import Shop, act, place_order
from playwright.sync_api import Page, expect

GROUP = "ann@example.com"


@pytest.fixture
def shop(
    tmp_path: Path,
    bundle: Callable[[Path], str],
    broker_url: str,
    redis_url: str,
    name_prefix: str,
) -> Iterator[Shop]:
    script = bundle(Path(__file__).parent / "pages" / "orders.jsx")
    environment = {"AMQP_URL": broker_url, "REDIS_URL": redis_url, "MOTIA_PREFIX": name_prefix}
    with closing(Shop(tmp_path / "app", script, **environment)) as shop:
        yield shop


def open_page(page: Page, port: int, **query: str) -> None:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    page.goto(f"http://127.0.0.1:{port}/page?{text}")


def test_a_page_shows_what_workers_and_requests_change(page: Page, shop: Shop) -> None:
    """A group, one item of it, and events, each told once."""
    port, _ = shop.start_web()
    shop.start_worker()
    act(port, do="set", group=GROUP, id="0", item="old lamp", status="paid")
    open_page(page, port, group=GROUP)
    orders, chosen = page.locator("#orders li"), page.locator("#order")
    expect(orders).to_have_text(["old lamp is paid"])
    expect(chosen).to_have_text("nothing")

    id = place_order(port, "lamp", GROUP)
    expect(orders).to_have_text(["old lamp is paid", "lamp is paid"])
    place_order(port, "sofa", GROUP)
    expect(orders).to_have_text(["old lamp is paid", "lamp is paid", "sofa is rejected"])
    place_order(port, "sofa", "bob@example.com")

    orders.nth(1).click()
    expect(chosen).to_have_text("lamp is paid")
    act(port, do="set", group=GROUP, id=id, item="lamp", status="shipped")
    expect(chosen).to_have_text("lamp is shipped")
    expect(orders).to_have_text(["old lamp is paid", "lamp is shipped", "sofa is rejected"])

    act(port, do="send", group=GROUP, message="from the web")
    act(port, "worker", do="send", group=GROUP, message="from a worker")
    expect(page.locator("#notes li")).to_have_text(["from the web", "from a worker"])

    act(port, "worker", do="delete", group=GROUP, id=id)
    expect(orders).to_have_text(["old lamp is paid", "sofa is rejected"])
    expect(chosen).to_have_text("nothing")


def test_a_page_comes_back_to_a_web_process_that_was_killed(page: Page, shop: Shop) -> None:
    """What it missed is there, without a reload, and what comes then too."""
    first, process = shop.start_web()
    second, _ = shop.start_web()
    shop.start_worker()
    for id, item in (("1", "lamp"), ("2", "chair")):
        act(second, do="set", group=GROUP, id=id, item=item, status="accepted")
    open_page(page, first, group=GROUP)
    orders, chosen = page.locator("#orders li"), page.locator("#order")
    orders.nth(0).click()
    expect(chosen).to_have_text("lamp is accepted")
    page.evaluate("window.stays = true")

    process.kill()
    act(second, do="set", group=GROUP, id="1", item="lamp", status="shipped")
    act(second, do="delete", group=GROUP, id="2")
    place_order(second, "sofa", GROUP)
    shop.start_web(first)
    expect(orders).to_have_text(["lamp is shipped", "sofa is rejected"])
    expect(chosen).to_have_text("lamp is shipped")

    act(second, "worker", do="set", group=GROUP, id="1", item="lamp", status="lost")
    expect(chosen).to_have_text("lamp is lost")
    expect(orders).to_have_text(["lamp is lost", "sofa is rejected"])
    assert page.evaluate("window.stays"), "the page was loaded anew"


def test_a_page_names_its_token_by_subprotocol(page: Page, shop: Shop) -> None:
    """Browsers take the answer to it; the page follows its own group and no other."""
    port, _ = shop.start_web()
    for group in ("mine", "other"):
        act(port, do="set", stream="secret", group=group, id="1", item="lamp", status=group)
    for query, shown, told in (
        ({"group": "mine", "token": "mine"}, ["lamp is mine"], []),
        ({"group": "other", "token": "mine"}, [], ["Access denied"]),
        ({"group": "mine"}, [], ["Access denied"]),
    ):
        open_page(page, port, stream="secret", id="1", **query)
        expect(page.locator("#errors li")).to_have_text(told)
        expect(page.locator("#orders li")).to_have_text(shown)
        expect(page.locator("#order")).to_have_text(shown[0] if shown else "nothing")

    open_page(page, port, stream="secret", id="1", group="mine", token="mine")
    expect(page.locator("#orders li")).to_have_text(["lamp is mine"])
    act(port, do="set", stream="secret", group="mine", id="1", item="lamp", status="seen")
    expect(page.locator("#order")).to_have_text("lamp is seen")
