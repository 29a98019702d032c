"""How fast the Workbench's page is: a diagram of 300 Steps, 10,000 runs and 10,000 log lines.

``python -m tests.benchmarks.workbench_page --rounds 5``, in the repository's folder. It prints
medians. A frame that took longer than 50 ms is a stutter that people see; on a busy machine the
processor time of the page's main thread tells more, which has 16 ms for a frame.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' own modules

from browser.conftest import find_chromium
from browser.looks import live, sign_in
from browser.made_app import MadeApp, made_app
from browser.made_shop import MANY_LINES, MANY_RUNS, MANY_STEPS, large, lines
from playwright.sync_api import Page, expect, sync_playwright
from servers import Room

from motia_celery.workbench.shapes.feed import LogMessage

LONG_FRAME_MS = 50
#: Lines in a second while it is scrolled, and for how long.
TAILED_LINES, TAILED_SECONDS = 500, 4

_FRAMES = """() => {
  window.frames_ms = [];
  let last = performance.now();
  const frame = (now) => {
    window.frames_ms.push(now - last);
    last = now;
    window.frames_id = requestAnimationFrame(frame);
  };
  window.frames_id = requestAnimationFrame(frame);
}"""
_SCROLL = """async ([selector, pixels, frames]) => {
  const list = document.querySelector(selector);
  for (let at = 0; at < frames; at += 1) {
    list.scrollBy(0, pixels);
    await new Promise(requestAnimationFrame);
  }
}"""
#: From the navigation until the last Step has been drawn, and of it from the first request on.
_DRAWN = """steps => {
  const nodes = document.querySelectorAll('.react-flow__node');
  if (nodes.length < steps || getComputedStyle(nodes[steps - 1]).visibility === 'hidden') return 0;
  window.drawn_at ??= performance.now();
  const told = performance.getEntriesByType('resource').find(
      (entry) => entry.name.endsWith('/api/flows'));
  return [window.drawn_at, window.drawn_at - told.responseEnd];
}"""


def diagram(page: Page, app: MadeApp) -> dict[str, float]:
    """From an empty tab to the drawn diagram, and from the answer of the API to it."""
    page.goto("about:blank")
    with _main_thread(page) as spent:
        page.goto(f"{app.address}/flows")
        whole, drawing = page.wait_for_function(_DRAWN, arg=MANY_STEPS, polling="raf").json_value()
    return {"page opened": whole, "diagram drawn": drawing, "processor": spent()}


@contextmanager
def _main_thread(page: Page) -> Iterator[Callable[[], float]]:
    """What gives the processor time in ms that the page's main thread spent meanwhile."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    began, ended = spent(), [0.0]
    yield lambda: ended[0] - began
    ended[0] = spent()
    session.detach()


def runs(page: Page, app: MadeApp) -> dict[str, float]:
    """Scrolls until all runs are there, and once more over all of them."""
    page.goto(f"{app.address}/runs")
    table = page.get_by_role("table", name="Runs")
    expect(table).to_have_attribute("aria-rowcount", str(MANY_RUNS))
    scroller = "[aria-label='Runs, rows']"
    began = time.monotonic()
    while table.locator(f"[aria-rowindex='{MANY_RUNS}']").count() == 0:
        page.evaluate(_SCROLL, [scroller, 1_000_000, 2])
    loaded = time.monotonic() - began
    page.locator(scroller).evaluate("list => list.scrollTo(0, 0)")
    return {"all runs loaded": loaded * 1000, **_frames(page, scroller, lambda: None)}


def logs(page: Page, app: MadeApp) -> dict[str, float]:
    """Scrolls over all lines while more of them come."""
    page.goto(f"{app.address}/logs")
    expect(page.get_by_text("Line 499:")).to_be_visible()
    expect(live(page)).to_be_visible()
    for first in range(500, MANY_LINES, 500):
        app.tell(LogMessage(lines=lines(500, first)[::-1]))
    expect(page.get_by_text(f"Line {MANY_LINES - 1}:")).to_be_visible()

    def tail() -> None:
        for number in range(TAILED_SECONDS * 10):
            first = MANY_LINES + number * TAILED_LINES // 10
            app.tell(LogMessage(lines=lines(TAILED_LINES // 10, first)[::-1]))
            page.wait_for_timeout(100)

    tailing = _frames(page, None, tail)
    scrolling = _frames(page, "[role=log]", lambda: None)
    return {
        **{f"tailing, {name}": value for name, value in tailing.items()},
        **{f"scrolling, {name}": value for name, value in scrolling.items()},
    }


def _frames(page: Page, scrolled: str | None, act: Callable[[], None]) -> dict[str, float]:
    page.evaluate(_FRAMES)
    with _main_thread(page) as spent:
        if scrolled:
            page.evaluate(_SCROLL, [scrolled, 300, 240])
        act()
    found = page.evaluate("cancelAnimationFrame(window.frames_id), window.frames_ms.slice(1)")
    return {
        "processor for a frame": spent() / len(found),
        "median frame": statistics.median(found),
        "longest frame": max(found),
        f"frames over {LONG_FRAME_MS} ms, %": 100
        * statistics.mean(f > LONG_FRAME_MS for f in found),
    }


def main() -> None:
    """Measures, and prints medians of the rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    room = Room.open()
    try:
        with room.redis() as redis, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=["--disable-dev-shm-usage"]
            )
            with made_app(Path(tempfile.mkdtemp()), redis.url, large()) as app:
                page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
                sign_in(page, app.address)
                for measure in (diagram, runs, logs):
                    _print(measure.__name__, [measure(page, app) for _ in range(rounds)])
            browser.close()
    finally:
        room.close()


def _print(name: str, measured: list[dict[str, float]]) -> None:
    print(name)
    for what in measured[0]:
        values = [each[what] for each in measured]
        unit = "" if what.endswith("%") else " ms"
        spread = f"{min(values):.1f} to {max(values):.1f}"
        print(f"  {what}: {statistics.median(values):.1f}{unit} ({spread})")


if __name__ == "__main__":
    main()
