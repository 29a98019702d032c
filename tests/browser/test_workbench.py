"""The Workbench's page in a browser, against an app with a web process and a worker."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from acceptance.conftest import free_port
from integration.apps import ROOT, Project
from playwright.sync_api import Locator, Page, expect

BUILT = ROOT / "motia_celery" / "workbench" / "ui" / "dist" / "index.html"
MISSING = "Type: cd motia_celery/workbench/ui && npm ci && npm run build"

TOKEN = "t" * 32

ORDER = """
config = {
    "type": "api", "name": "order", "method": "POST", "path": "/orders", "emits": ["ordered"],
    "flows": ["shop"],
}


async def handler(req, context):
    context.logger.info("An order came", {"item": req["body"]["item"]})
    await context.state.set("stock", "vans", 0)
    await context.emit({"topic": "ordered", "data": req["body"]})
    return {"status": 202, "body": {"accepted": True}}
"""

SHIP = """
config = {
    "type": "event", "name": "ship", "subscribes": ["ordered"], "emits": ["shipped"],
    "flows": ["shop"], "infrastructure": {"queue": {"maxRetries": 0}},
}


async def handler(data, context):
    if not await context.state.get("stock", "vans"):
        raise ValueError("no van is free")
    await context.emit({"topic": "shipped", "data": data})
    return {"shipped": data["item"]}
"""

NOTIFY = """
config = {
    "type": "event", "name": "notify", "subscribes": ["shipped"], "emits": [], "flows": ["shop"],
}


async def handler(data, context):
    context.logger.warn("Told the customer", data)
"""

REPORT = """
config = {"type": "cron", "name": "report", "cron": "0 0 1 1 *", "emits": [], "flows": ["shop"]}


async def handler(context):
    context.logger.info("The year in numbers")
"""


@pytest.fixture
def address(tmp_path: Path, broker_url: str, redis_url: str) -> Iterator[str]:
    """The page of an app with a flow whose second Step fails until there is a van."""
    if not BUILT.exists():
        pytest.fail(f"The Workbench's page is not built. {MISSING}", pytrace=False)
    project = Project(tmp_path / "shop", f"b{secrets.token_hex(4)}", redis_url, broker_url)
    steps = {"order": ORDER, "ship": SHIP, "notify": NOTIFY, "report": REPORT}
    for name, source in steps.items():
        (project.folder / "steps" / f"{name}_step.py").write_text(source)
    with closing(project):
        port = free_port()
        web = project.command("web", port=port, host="127.0.0.1", admin_token=TOKEN)
        worker = project.command("worker")
        web.wait_for_line("web.ready")
        worker.wait_for_line("worker.ready")
        yield f"http://127.0.0.1:{port}/__workbench"


def open_page(page: Page, address: str) -> None:
    """Signs in, and waits until the page hears of changes."""
    page.goto(address)
    page.locator("input[type=password]").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary").get_by_text("Live")).to_be_visible()


def go(page: Page, name: str) -> None:
    """To another page by the side."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()


def bars(page: Page) -> Locator:
    """What is in the waterfall."""
    return page.get_by_role("region", name="Waterfall").get_by_role("listitem")


def fill(page: Page, label: str, text: str) -> None:
    """Writes into an editor, which is loaded when it is first shown."""
    editor = page.get_by_role("textbox", name=label)
    expect(editor).to_be_editable()
    editor.fill(text)
    expect(editor).to_have_text(text)


@pytest.mark.timeout(300)
def test_a_flow_is_started_looked_into_mended_and_replayed(page: Page, address: str) -> None:
    """From Try to its trace, its error and its logs; the state mended, its dead letter replayed."""
    open_page(page, f"{address}/try")
    start_order(page)
    see_it_fail(page)
    mend_state(page)
    replay(page)
    rerun(page)


def start_order(page: Page) -> None:
    page.get_by_role("button", name="/orders").click()
    fill(page, "Body", '{"item": "lamp"}')
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status").filter(has_text="202")).to_be_visible()
    started = page.get_by_role("region", name="The trace that was started")
    expect(started.get_by_role("listitem")).to_have_text(
        [re.compile("Succeededorder"), re.compile("Failedship")]
    )


def see_it_fail(page: Page) -> None:
    go(page, "Runs")
    runs = page.get_by_role("table", name="Runs")
    expect(runs.get_by_text("ValueError: no van is free")).to_be_visible()
    runs.get_by_role("link", name="order").click()
    expect(bars(page).filter(has_text="ship")).to_contain_text("failed")
    expect(bars(page).filter(has_text="ordered")).to_be_visible()
    bars(page).get_by_role("button", name=re.compile("^ship")).click()
    details = page.get_by_role("region", name="Details")
    expect(details.get_by_text("no van is free").first).to_be_visible()
    expect(details.get_by_text("steps/ship_step.py:10").first).to_be_visible()
    details.get_by_role("button", name="Logs").click()
    expect(details.get_by_text("An order came")).to_be_visible()


def mend_state(page: Page) -> None:
    go(page, "State")
    page.get_by_role("button", name="stock").click()
    page.get_by_role("table", name="Values").get_by_role("button", name="vans").click()
    fill(page, "Value of vans", "2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("vans is saved")).to_be_visible()


def replay(page: Page) -> None:
    go(page, "Dead letters")
    letters = page.get_by_role("table", name="Dead letters")
    letters.get_by_role("button", name="ship", exact=True).click()
    panel = page.get_by_label("The dead letter")
    expect(panel.get_by_text("no van is free").first).to_be_visible()
    panel.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_text("Nothing failed for good")).to_be_visible()
    go(page, "Runs")
    runs = page.get_by_role("table", name="Runs")
    expect(runs.get_by_role("link", name="notify")).to_be_visible()
    expect(runs.get_by_text("Failed")).to_have_count(0)
    runs.get_by_role("link", name="ship").click()
    expect(bars(page).filter(has_text="notify")).to_be_visible()
    expect(bars(page).filter(has_text="attempt 1")).to_have_count(2)


def rerun(page: Page) -> None:
    """The run that is shown, with another input: in a trace of its own."""
    shown = page.url
    page.get_by_role("button", name="Rerun with an edited input").click()
    dialog = page.get_by_role("dialog")
    editor = dialog.get_by_role("textbox", name="JSON")
    expect(editor).to_contain_text("lamp")
    editor.fill('{"item": "sofa"}')
    dialog.get_by_role("button", name="Rerun").click()
    expect(page).not_to_have_url(shown)
    expect(bars(page).filter(has_text="notify")).to_be_visible()
    expect(bars(page).filter(has_text="order")).to_have_count(0)
    expect(page.get_by_role("region", name="Details").get_by_text("sofa").first).to_be_visible()


@pytest.mark.timeout(300)
def test_a_cron_is_run_at_once(page: Page, address: str) -> None:
    open_page(page, f"{address}/try?kind=cron&name=report")
    page.get_by_role("button", name="Run now").click()
    started = page.get_by_role("region", name="The trace that was started")
    expect(started.get_by_role("listitem")).to_have_text([re.compile("Succeededreport")])
    go(page, "Logs")
    expect(page.get_by_text("The year in numbers")).to_be_visible()
