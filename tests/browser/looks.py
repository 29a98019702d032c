"""Every look of the page, by name: which address, and what stands there once it is drawn.

``python tests/browser/looks.py`` in the repository's folder draws each at two widths and in both
themes, into ``tests/browser/screenshots``, to be looked at by people.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' own modules

from browser.conftest import SCREENSHOTS, find_chromium
from browser.made_app import TOKEN, Made, MadeApp, made_app
from browser.made_nodes import NODES
from browser.made_shop import GOOD_TRACE, SHOP, TRACE
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from servers import Room

WIDTHS = (1280, 390)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass(frozen=True)
class Look:
    """An address of the page, and a text that is there when all is drawn."""

    name: str
    path: str
    shows: str


#: Of the shop.
LOOKS = (
    Look("flows", "/flows", "place-order"),
    Look("flow-step", "/flows?flow=orders&step=charge", "at most"),
    Look("flow-source", "/flows?step=charge&tab=source&line=14", "insufficient funds"),
    Look("runs", "/runs", "20"),
    Look("run", f"/runs/{TRACE}", "insufficient funds"),
    Look("run-logs", f"/runs/{TRACE}?run=place-order-7&view=logs", "Line 1:"),
    Look("run-good", f"/runs/{GOOD_TRACE}", "Succeeded"),
    Look("try", "/try", "Routes"),
    Look("try-route", "/try?kind=route&name=POST+/orders/:shop", "What was bought"),
    Look("try-topic", "/try?kind=topic&name=order.paid", "Heard by"),
    Look("try-cron", "/try?kind=cron&name=nightly-report", "Adds up the day."),
    Look("dead-letters", "/dead-letters", "Replay all 4"),
    Look("dead-letter", "/dead-letters?id=LETTER", "Attempts"),
    Look("state", "/state?group=orders", "o-8"),
    Look("state-value", "/state?group=orders&key=o-7", "until it is deleted"),
    Look("streams", "/streams?stream=orders&group=open", "o-8"),
    Look("stream-item", "/streams?stream=orders&group=open&id=o-7", "waits"),
    Look("queues", "/queues", "made.q.refund"),
    Look("workers", "/queues?view=workers", "worker-2"),
    Look("schedules", "/queues?view=schedules", "Europe/Rome"),
    Look("logs", "/logs", "Line 19"),
    Look("log-line", "/logs?line=000000000018", "nested"),
    Look("problems", "/problems", "Did you mean"),
    Look("nowhere", "/nowhere", "There is no such page"),
)
#: Of an app whose Steps are drawn by files beside them.
NODE_LOOKS = (
    Look("own-nodes", "/flows", "Pressed 0"),
    Look("own-node-step", "/flows?step=broken", "at most"),
)
#: Of an app without anything.
EMPTY_LOOKS = (
    Look("empty-flows", "/flows", "There are no Steps yet"),
    Look("empty-runs", "/runs", "Nothing has run yet"),
    Look("empty-try", "/try", "There is nothing to try yet"),
    Look("empty-dead-letters", "/dead-letters", "Nothing failed for good"),
    Look("empty-state", "/state", "No state is kept yet"),
    Look("empty-streams", "/streams", "The project has no stream yet"),
    Look("empty-queues", "/queues", "No Step has a queue yet"),
    Look("empty-workers", "/queues?view=workers", "No worker answers"),
    Look("empty-schedules", "/queues?view=schedules", "The clock starts no Step yet"),
    Look("empty-logs", "/logs", "Nothing has been logged yet"),
    Look("empty-problems", "/problems", "Nothing is wrong with the project"),
)


def sign_in(page: Page, address: str) -> None:
    """Gives the token, as a person does, and waits until the page hears of changes."""
    page.goto(address)
    page.locator("input[type=password]").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(live(page)).to_be_visible()


def live(page: Page) -> Locator:
    """What says that the page hears of changes."""
    return page.get_by_text("Live", exact=True).locator("visible=true")


def show(page: Page, app: MadeApp, look: Look) -> None:
    """Goes there, and waits until it is drawn."""
    letter = app.first_letter() if "LETTER" in look.path else ""
    page.goto(app.address + look.path.replace("LETTER", letter))
    expect(
        page.locator("main").get_by_text(look.shows).locator("visible=true").first
    ).to_be_visible()
    expect(live(page)).to_be_visible()
    page.wait_for_function("!document.querySelector('main .animate-spin[data-loading]')")


def overflow(page: Page) -> list[str]:
    """What stands out of the window at the right, where nothing scrolls it into sight."""
    found: list[str] = page.evaluate(_OVERFLOW)
    return found


_OVERFLOW = """() => {
  const { clientWidth: wide, scrollWidth: whole } = document.documentElement;
  if (whole > wide) return [`the page is ${whole} wide`];
  const scrolls = (node) => {
    for (let at = node.parentElement; at !== document.body && at; at = at.parentElement) {
      if (/auto|scroll|hidden|clip/.test(getComputedStyle(at).overflowX)) return true;
    }
    return false;
  };
  return [...document.querySelectorAll('body *')]
    .filter((node) => node.getBoundingClientRect().right > wide + 1 && !scrolls(node))
    .map((node) => node.outerHTML.slice(0, 200));
}"""


def _draw(browser: Browser, app: MadeApp, looks: tuple[Look, ...]) -> None:
    for width in WIDTHS:
        context = browser.new_context(viewport={"width": width, "height": 800})
        page = context.new_page()
        page.goto(app.address)
        _shoot(page, f"sign-in-{width}")
        sign_in(page, app.address)
        for look in looks:
            show(page, app, look)
            _shoot(page, f"{look.name}-{width}")
            for what in overflow(page):
                print(look.name, width, what)
        context.close()


def _shoot(page: Page, name: str) -> None:
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(300)
        page.screenshot(path=SCREENSHOTS / f"{name}-{theme}.png")


def main(names: list[str]) -> None:
    """Draws the looks of these names, or all."""
    apps = ((SHOP, LOOKS), (Made(), EMPTY_LOOKS), (NODES, NODE_LOOKS))
    SCREENSHOTS.mkdir(exist_ok=True)
    expect.set_options(timeout=60_000)
    room = Room.open()
    try:
        with room.redis() as redis, sync_playwright() as playwright:
            options: dict[str, Any] = {"executable_path": find_chromium()}
            browser = playwright.chromium.launch(args=["--disable-dev-shm-usage"], **options)
            for database, (made, looks) in enumerate(apps):
                chosen = tuple(look for look in looks if not names or look.name in names)
                if not chosen:
                    continue
                folder = Path(tempfile.mkdtemp()) / "shop"
                url = redis.url.removesuffix("/0") + f"/{database}"
                with made_app(folder, url, made) as app:
                    _draw(browser, app, chosen)
            browser.close()
    finally:
        room.close()


if __name__ == "__main__":
    main(sys.argv[1:])
