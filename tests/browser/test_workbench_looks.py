"""What the Workbench's page looks like: to axe, on a phone, when there is nothing, or very much."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.looks import EMPTY_LOOKS, LOOKS, WIDTHS, overflow, show, sign_in
from browser.made_app import Made, MadeApp, made_app
from browser.made_nodes import NODES, charge_drawn
from browser.made_shop import MANY_LINES, MANY_RUNS, MANY_STEPS, SHOP, TRACE, large, lines
from playwright.sync_api import Locator, Page, expect
from servers import Room

from motia_celery.workbench.shapes.feed import LogMessage

AXE = {"resultTypes": ["violations"]}


@pytest.fixture(scope="module")
def redis_at(room: Room) -> Iterator[str]:
    """The address of a Redis of this module; a number after it names a database."""
    with room.redis() as server:
        yield server.url.removesuffix("/0")


@pytest.fixture(scope="module")
def shop(redis_at: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeApp]:
    with made_app(tmp_path_factory.mktemp("shop"), f"{redis_at}/0", SHOP) as app:
        yield app


@pytest.fixture(scope="module")
def nothing(redis_at: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeApp]:
    with made_app(tmp_path_factory.mktemp("nothing"), f"{redis_at}/1", Made()) as app:
        yield app


@pytest.fixture(scope="module")
def crowd(redis_at: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeApp]:
    with made_app(tmp_path_factory.mktemp("crowd"), f"{redis_at}/2", large()) as app:
        yield app


@pytest.fixture(scope="module")
def drawn(redis_at: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeApp]:
    with made_app(tmp_path_factory.mktemp("drawn"), f"{redis_at}/3", NODES) as app:
        yield app


# --- every page, in both themes, wide and narrow ----------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_no_look_keeps_people_out_or_stands_out_of_the_window(
    page: Page, shop: MadeApp, nothing: MadeApp, npm_packages: Path, width: int
) -> None:
    """No serious violation that axe knows of, in either theme; nothing is cut off at the right."""
    axe = (npm_packages / "axe-core" / "axe.min.js").read_text()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(shop.address)
    page.evaluate(axe)
    faults = _violations(page, "sign in")
    sign_in(page, shop.address)  # a cookie, which knows no ports: the other app has it too
    # Empty pages are the same at every width.
    for app, looks in ((shop, LOOKS), (nothing, EMPTY_LOOKS if width == min(WIDTHS) else ())):
        for look in looks:
            show(page, app, look)
            page.evaluate(axe)
            faults += _violations(page, look.name)
            faults += [f"{look.name}: {what} stands out" for what in overflow(page)]
    assert not faults, "\n".join(faults)


def _violations(page: Page, name: str) -> list[str]:
    """What axe finds: everything in light, and in dark what colours may have changed."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = _run_axe(page, {})
    page.emulate_media(color_scheme="dark")
    found += _run_axe(page, {"runOnly": ["color-contrast"]})
    return [f"{name}: {each}" for each in found]


def _run_axe(page: Page, options: dict[str, Any]) -> list[str]:
    found = page.evaluate("options => axe.run(document, options)", {**AXE, **options})
    return [
        f"{violation['impact']} {violation['id']}: {node['target']} {_why(node)}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    checks = [*node["any"], *node["all"], *node["none"]]
    return "; ".join(check["message"] for check in checks)


def test_colour_is_never_the_only_sign(page: Page, shop: MadeApp) -> None:
    """Statuses, levels, kinds and bars have words too; icons that stand alone have names."""
    sign_in(page, f"{shop.address}/runs")
    statuses = page.get_by_role("table", name="Runs").get_by_role("row").locator("nth=1")
    expect(statuses).to_contain_text("Running")
    for word in ("Retrying", "Failed", "Succeeded", "Cancelled"):
        expect(rows(page, "Runs").filter(has_text=word).first).to_be_visible()
    page.goto(f"{shop.address}/logs")
    for word in ("debug", "info", "warn", "error"):
        expect(page.get_by_role("log").get_by_text(word, exact=True).first).to_be_visible()
    page.goto(f"{shop.address}/flows")
    charge = page.get_by_role("group", name="charge, event Step")
    for name in ("Event", "failed", "succeeded"):
        expect(charge.get_by_label(name, exact=True)).to_be_visible()
    expect(
        page.get_by_role("group", name="ship, event Step").get_by_label("Paused")
    ).to_be_visible()


# --- getting about ------------------------------------------------------------------------------


def test_keys_and_the_palette_lead_everywhere(page: Page, shop: MadeApp) -> None:
    sign_in(page, f"{shop.address}/state")
    press(page, "g", "r")
    expect(heading(page, "Runs")).to_be_visible()
    press(page, "g", "f")
    expect(heading(page, "Flows")).to_be_visible()
    press(page, "?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys.get_by_text("Runs: what ran, runs and failed")).to_be_visible()
    press(page, "Escape")
    expect(keys).to_be_hidden()
    press(page, "Control+k")
    page.keyboard.type("refu")
    expect(page.get_by_role("dialog").get_by_role("option", selected=True)).to_contain_text(
        "refund"
    )
    press(page, "Enter")
    expect(page.get_by_role("complementary", name="The Step refund")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("complementary", name="The Step refund")).to_be_hidden()
    press(page, "Control+k")
    page.keyboard.type(TRACE)
    press(page, "Enter")
    expect(heading(page, "place-order")).to_be_visible()


def test_keys_that_are_typed_into_a_field_do_nothing_else(page: Page, shop: MadeApp) -> None:
    sign_in(page, f"{shop.address}/runs")
    press(page, "/")
    field = page.get_by_role("searchbox", name="Text in the error")
    expect(field).to_be_focused()
    page.keyboard.type("gf?")
    expect(field).to_have_value("gf?")
    expect(page).to_have_url(re.compile(r"/runs\?text=gf%3F$"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_every_choice_is_in_the_address_and_is_there_again_after_a_reload(
    page: Page, shop: MadeApp
) -> None:
    sign_in(page, f"{shop.address}/runs")
    page.get_by_role("combobox", name="Status").select_option("failed")
    stays(page, "status=failed", rows(page, "Runs").filter(has_text="CardDeclined"))
    expect(rows(page, "Runs")).to_have_count(1)
    rows(page, "Runs").get_by_role("link", name="charge").click()
    bar = page.get_by_role("button", name="attempt 3", exact=False).last
    bar.click()
    page.get_by_role("group", name="Details").get_by_role("button", name="Logs").click()
    stays(page, "view=logs", page.get_by_role("log").get_by_text("Line 1:"))
    page.goto(f"{shop.address}/flows")
    page.get_by_role("combobox", name="Flow").select_option("audit")
    page.get_by_role("group", name="sweep, cron Step").click()
    page.get_by_role("button", name="Config").click()
    stays(page, "flow=audit&step=sweep&tab=config", page.get_by_label("Config", exact=True))
    page.goto(f"{shop.address}/state")
    page.get_by_role("button", name="stock").click()
    page.get_by_role("button", name="tea").click()
    stays(page, "group=stock&key=tea", page.get_by_label("The value").get_by_text("number"))
    page.goto(f"{shop.address}/queues")
    page.get_by_role("button", name="Schedules").click()
    stays(page, "view=schedules", page.get_by_text("Europe/Rome"))
    page.goto(f"{shop.address}/try")
    page.get_by_role("button", name="order.declined").click()
    stays(page, "kind=topic&name=order.declined", page.get_by_text("Heard by refund"))


def stays(page: Page, search: str, shown: Locator) -> None:
    """The address says it, and shows it again when it is opened anew."""
    expect(page).to_have_url(re.compile(f"{re.escape(search)}(&|$)"))
    expect(shown.first).to_be_visible()
    page.reload()
    expect(shown.first).to_be_visible()


def test_on_a_phone_every_page_is_in_the_menu(page: Page, shop: MadeApp) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    sign_in(page, f"{shop.address}/flows")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("dialog", name="Menu").get_by_role("link", name="Dead letters").click()
    expect(page.get_by_role("dialog", name="Menu")).to_be_hidden()
    rows(page, "Dead letters").get_by_role("button", name="audit").click()
    panel = page.get_by_label("The dead letter")
    expect(panel.get_by_role("button", name="Replay", exact=True)).to_be_in_viewport()
    panel.get_by_role("button", name="Close").click()
    expect(rows(page, "Dead letters").first).to_be_visible()


def test_what_does_not_fit_its_schema_is_marked_and_can_be_sent(page: Page, shop: MadeApp) -> None:
    """The form of a schema helps; what a route says to a wrong body is worth a try too."""
    sign_in(page, f"{shop.address}/try?kind=route&name=POST+/orders/:shop")
    page.get_by_role("textbox", name="shop").fill("s1")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("region", name="Response body")).to_be_in_viewport()
    expect(page.get_by_role("status").filter(has_text=re.compile(r"^[24]\d\d"))).to_be_visible()


# --- nothing, and very much -----------------------------------------------------------------


def test_an_empty_page_shows_the_code_that_fills_it(page: Page, nothing: MadeApp) -> None:
    sign_in(page, nothing.address)
    for look in EMPTY_LOOKS:
        show(page, nothing, look)
        code = page.locator("main pre")
        expect(code).to_be_visible()
        assert 1 <= len(code.inner_text().splitlines()) <= 4, look.name
    expect(code).to_have_text("motia-celery check")


def test_a_stream_s_items_change_under_the_eye(page: Page, shop: MadeApp) -> None:
    sign_in(page, f"{shop.address}/streams?stream=orders&group=open&id=o-7")
    panel = page.get_by_role("textbox", name="Data of o-7")
    expect(panel).to_contain_text("waits")
    shop.set_item("orders", "open", "o-7", {"item": "tea", "status": "is on its way"})
    expect(panel).to_contain_text("is on its way")
    expect(rows(page, "Items").filter(has_text="is on its way")).to_be_visible()
    shop.set_item("orders", "open", "o-9", {"item": "jam", "status": "is new"})
    expect(rows(page, "Items").filter(has_text="is new")).to_be_visible()


def test_a_diagram_of_three_hundred_steps_is_drawn(page: Page, crowd: MadeApp) -> None:
    sign_in(page, f"{crowd.address}/flows")
    expect(page.get_by_text(f"{MANY_STEPS} Steps")).to_be_visible()
    expect(page.locator(".react-flow__node")).to_have_count(MANY_STEPS)


def test_ten_thousand_runs_are_a_few_rows(page: Page, crowd: MadeApp) -> None:
    """All of them can be scrolled to, and only those in sight are in the document."""
    sign_in(page, f"{crowd.address}/runs")
    table = page.get_by_role("table", name="Runs")
    expect(table).to_have_attribute("aria-rowcount", str(MANY_RUNS))
    table.get_by_label("Runs, rows").focus()
    seen = 0
    while seen < MANY_RUNS:
        press(page, "End")
        seen = page.wait_for_function(_SCROLLED, arg=seen).json_value()
        assert rows(page, "Runs").count() < 100
    expect(rows(page, "Runs").last).to_contain_text(f"step-{(MANY_RUNS - 1) % MANY_STEPS}")


#: The number of the last row that is drawn, once it is larger than before.
_SCROLLED = """seen => {
    const rows = [...document.querySelectorAll('[aria-rowindex]')];
    const last = Number(rows.at(-1)?.getAttribute('aria-rowindex'));
    return last > seen && last;
}"""


def test_ten_thousand_lines_are_a_few_rows_and_stay_where_they_are_read(
    page: Page, crowd: MadeApp
) -> None:
    sign_in(page, f"{crowd.address}/logs")
    expect(page.get_by_text("Line 499:")).to_be_visible()
    for first in range(500, MANY_LINES, 500):
        crowd.tell(LogMessage(lines=lines(500, first)[::-1]))
    expect(page.get_by_text(f"Line {MANY_LINES - 1}:")).to_be_visible()
    log = page.get_by_role("log")
    assert log.get_by_role("listitem").count() < 100
    log.evaluate("log => log.scrollTo(0, 100_000)")
    text, number, top = log.evaluate(_FIRST_IN_SIGHT)
    assert number > 1000
    crowd.tell(LogMessage(lines=lines(40, MANY_LINES)[::-1]))
    read = log.get_by_role("listitem").filter(has_text=text)
    expect(read).to_have_attribute("data-index", str(number + 40))
    assert log.evaluate(_FIRST_IN_SIGHT) == [text, number + 40, pytest.approx(top, abs=2)]
    log.evaluate("log => log.scrollTo(0, 0)")
    expect(page.get_by_text(f"Line {MANY_LINES + 39}:")).to_be_visible()


_FIRST_IN_SIGHT = """log => {
    const edge = log.getBoundingClientRect().top;
    const row = [...log.querySelectorAll('li')].find(
        (each) => each.getBoundingClientRect().top >= edge);
    return [row.innerText.match(/Line [0-9]+:/)[0], Number(row.dataset.index),
            row.getBoundingClientRect().top - edge];
}"""


# --- the page -----------------------------------------------------------------------------------


def test_files_beside_steps_draw_them(page: Page, drawn: MadeApp) -> None:
    """With the page's React and Motia's parts; where that does not work, the reason is there."""
    page.emulate_media(color_scheme="light")
    sign_in(page, drawn.address)
    page.goto(f"{drawn.address}/flows")

    page.get_by_role("button", name="Pressed 0").click()
    expect(page.get_by_role("button", name="Pressed 1")).to_be_visible()
    expect(page.get_by_text("Emits ordered and noted")).to_have_css("border-left-width", "4px")
    label = page.get_by_test_id("label")
    expect(label).to_have_text("api POST /orders")
    light = label.evaluate("node => getComputedStyle(node).backgroundColor")
    page.emulate_media(color_scheme="dark")
    expect(label).not_to_have_css("background-color", light)
    with page.expect_request(lambda asked: asked.url.endswith("/orders")):
        page.get_by_role("button", name="Start the flow").click()

    expect(page.get_by_text("All by myself: bare")).to_be_visible()
    faults = page.get_by_role("note")
    expect(faults).to_have_count(2)
    expect(faults.filter(has_text="imports 'left-pad-that-is-not-there'")).to_be_visible()
    expect(faults.filter(has_text="steps/throws.step.tsx")).to_be_visible()
    expect(page.locator(".react-flow__edge-path")).to_have_count(5)  # all have where to end

    expect(page.get_by_text("Paid", exact=True)).to_be_visible()
    (drawn.folder / "steps" / "charge_step.jsx").write_text(charge_drawn("Settled"))
    page.reload()
    expect(page.get_by_text("Settled", exact=True)).to_be_visible()


def heading(page: Page, name: str) -> Locator:
    return page.get_by_role("heading", name=name, level=1)


def rows(page: Page, table: str) -> Locator:
    """The rows of a table that are drawn, without its head."""
    return page.get_by_role("table", name=table).locator("[aria-rowindex]")


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
