"""The Workbench's page in a browser, against an app with a web process and a worker.

All tests here share the app, so each looks only at what it started itself.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from acceptance.conftest import free_port
from browser.looks import sign_in
from integration.apps import ROOT, Project
from playwright.sync_api import Locator, Page, expect
from servers import GivenRabbit, RabbitNode, Room

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


PACK = """
config = {
    "type": "event", "name": "pack", "subscribes": ["taken"], "emits": [],
    "infrastructure": {"queue": {"maxRetries": 0}},
}


async def handler(data, context):
    if data["kilos"] > 20:
        raise ValueError("nobody can carry that")
    return {"packed": data["kilos"]}
"""

WEIGH = """
config = {"type": "event", "name": "weigh", "subscribes": ["weighed"], "emits": []}


async def handler(data, context):
    context.logger.info("It was weighed")
"""

BROKEN = """
config = {"type": "event", "name": "broken",
"""

STEPS = {
    "order": ORDER,
    "ship": SHIP,
    "notify": NOTIFY,
    "report": REPORT,
    "pack": PACK,
    "weigh": WEIGH,
    "broken": BROKEN,
}


class Shop:
    """The app's address, and what others than the page do to it."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.address = f"{self.origin}/__workbench"
        self._headers = {"authorization": f"Bearer {TOKEN}"}

    def emit(self, topic: str, data: object) -> None:
        """Emits an event."""
        url = f"{self.address}/api/topics/{topic}/emit"
        httpx.post(url, json={"data": data}, headers=self._headers, timeout=60).raise_for_status()


@pytest.fixture(scope="module")
def shop(
    rabbitmq: RabbitNode | GivenRabbit, room: Room, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """An app with a flow whose second Step fails until there is a van, and with a broken file."""
    if not BUILT.exists():
        pytest.fail(f"The Workbench's page is not built. {MISSING}", pytrace=False)
    folder: Path = tmp_path_factory.mktemp("shop")
    prefix, url = f"b{secrets.token_hex(4)}", rabbitmq.vhost()
    with room.redis() as redis, closing(Project(folder, prefix, redis.url, url)) as project:
        for name, source in STEPS.items():
            (folder / "steps" / f"{name}_step.py").write_text(source)
        port = free_port()
        web = project.command("web", port=port, host="127.0.0.1", admin_token=TOKEN)
        worker = project.command("worker")
        web.wait_for_line("web.ready")
        worker.wait_for_line("worker.ready")
        yield Shop(port)
    if isinstance(rabbitmq, GivenRabbit):
        names = ("ship", "notify", "report", "pack", "weigh")
        rabbitmq.delete_queues([project.queue(name) for name in names])
        rabbitmq.forget(prefix)
    else:
        rabbitmq.drop_vhost(url)


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


def test_a_flow_is_started_looked_into_mended_and_replayed(page: Page, shop: Shop) -> None:
    """From Try to its trace, its error and its logs; the state mended, its dead letter replayed."""
    sign_in(page, f"{shop.address}/try")
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
    expect(panel).to_be_hidden()
    go(page, "Runs")
    runs = page.get_by_role("table", name="Runs")
    expect(runs.get_by_role("link", name="notify")).to_be_visible()
    ships = runs.get_by_role("row").filter(has=page.get_by_role("link", name="ship"))
    expect(ships).to_contain_text("Succeeded")
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


def test_a_cron_is_run_at_once(page: Page, shop: Shop) -> None:
    sign_in(page, f"{shop.address}/try?kind=cron&name=report")
    page.get_by_role("button", name="Run now").click()
    started = page.get_by_role("region", name="The trace that was started")
    expect(started.get_by_role("listitem")).to_have_text([re.compile("Succeededreport")])
    go(page, "Logs")
    expect(page.get_by_text("The year in numbers")).to_be_visible()


def test_a_dead_letter_is_mended_and_replayed_and_another_is_dropped(
    page: Page, shop: Shop
) -> None:
    for kilos in (50, 60):
        shop.emit("taken", {"kilos": kilos})
    sign_in(page, f"{shop.address}/dead-letters?step=pack")
    expect(letter(page, 50)).to_be_visible()
    replay_edited(page)
    drop(page)
    page.goto(f"{shop.address}/runs?step=pack&status=completed")
    runs = page.get_by_role("table", name="Runs")
    expect(runs.get_by_role("link", name="pack")).to_have_count(1)


def letter(page: Page, kilos: int) -> Locator:
    """The row of the dead letter with this payload."""
    letters = page.get_by_role("table", name="Dead letters")
    return letters.get_by_role("row").filter(has_text=f'{{"kilos":{kilos}}}')


def replay_edited(page: Page) -> None:
    letter(page, 50).get_by_role("button", name="pack").click()
    page.get_by_role("button", name="Replay with an edited payload").click()
    dialog = page.get_by_role("dialog")
    editor = dialog.get_by_role("textbox", name="JSON")
    expect(editor).to_contain_text("50")
    editor.fill("{")
    expect(dialog.get_by_role("button", name="Replay")).to_be_disabled()
    editor.fill('{"kilos": 5}')
    dialog.get_by_role("button", name="Replay").click()
    expect(dialog).to_be_hidden()
    expect(letter(page, 50)).to_have_count(0)


def drop(page: Page) -> None:
    """Nothing is dropped before it is confirmed."""
    letter(page, 60).get_by_role("checkbox").check()
    page.get_by_role("button", name="Drop 1 chosen").click()
    dialog = page.get_by_role("dialog", name="Drop 1 chosen?")
    expect(dialog.get_by_text("There is no way back")).to_be_visible()
    dialog.get_by_role("button", name="Keep").click()
    expect(dialog).to_be_hidden()
    expect(letter(page, 60)).to_be_visible()
    page.get_by_role("button", name="Drop 1 chosen").click()
    dialog.get_by_role("button", name="Drop 1", exact=True).click()
    expect(page.get_by_text("No dead letter is like that")).to_be_visible()


def test_a_paused_step_s_events_wait_until_it_is_resumed(page: Page, shop: Shop) -> None:
    sign_in(page, f"{shop.address}/queues")
    queue = page.get_by_role("listitem").filter(has_text=".q.weigh")
    page.get_by_role("button", name="Pause weigh").click()
    expect(queue.get_by_text("Paused")).to_be_visible()
    shop.emit("weighed", {})
    expect(queue.get_by_role("definition").first).to_have_text("1")
    page.reload()
    expect(queue.get_by_text("Paused")).to_be_visible()
    page.get_by_role("button", name="Resume weigh").click()
    expect(queue.get_by_text("Paused")).to_be_hidden()
    expect(queue.get_by_role("definition").first).to_have_text("0")
    go(page, "Logs")
    expect(page.get_by_text("It was weighed")).to_be_visible()


def test_problems_say_where_and_how_to_mend_them(page: Page, shop: Shop) -> None:
    sign_in(page, shop.address)
    go(page, "Problems")
    problem = page.get_by_role("article").filter(has_text="steps/broken_step.py:2")
    expect(problem.get_by_text("Error", exact=True)).to_be_visible()
    expect(problem.get_by_text("was never closed")).to_be_visible()


def test_who_has_no_token_sees_nothing(page: Page, shop: Shop) -> None:
    for path in ("", "/runs", "/assets/index.js", "/api/app", "/api/feed", "/api/openapi.json"):
        answer = httpx.get(shop.address + path, timeout=60)
        assert answer.status_code == 401, path
        assert "ship" not in answer.text
    assert httpx.get(f"{shop.origin}/__motia/state", timeout=60).status_code == 401
    page.goto(f"{shop.address}/runs?step=ship")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.locator("script").count() == 0
    page.get_by_label("Admin token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Admin token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Step")).to_have_value("ship")
