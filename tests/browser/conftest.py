"""Chromium for the tests of pages: ``page`` is a tab of its own, in a profile of its own.

Tests here are plain functions: playwright's blocking interface and a running event loop exclude
each other. So the browser is closed after each module too, before tests with a loop may follow.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.bundle import bundle_page
from playwright.sync_api import Browser, Page, expect, sync_playwright

MISSING = (
    "The tests of pages need Chromium. Type: sudo apt-get install -y chromium "
    "(or set CHROMIUM_BIN to a Chromium or Chrome)"
)
SCREENSHOTS = Path(__file__).parent / "screenshots"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FAILED = pytest.StashKey[bool]()

# How long a page may take to show what it should, on a busy machine.
expect.set_options(timeout=60_000)


def find_chromium() -> str | None:
    """The path of a Chromium."""
    named = os.environ.get("CHROMIUM_BIN")
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Remembers a failure, for the fixture that takes the screenshot."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium, the system's own."""
    path = find_chromium()
    if path is None:
        pytest.fail(MISSING, pytrace=False)
    with sync_playwright() as playwright:
        # The small /dev/shm of containers is not enough for it.
        arguments = ["--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty tab. An exception that no script of the page catches fails the test.

    What a page showed and logged when its test failed is in ``tests/browser/screenshots``.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    lines: list[str] = []
    uncaught: list[str] = []
    page.on("console", lambda message: lines.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: uncaught.append(str(error)))
    yield page
    if uncaught or request.node.stash.get(_FAILED, False):
        name = re.sub(r"\W+", "-", request.node.name)
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
        (SCREENSHOTS / f"{name}.log").write_text("\n".join([*lines, *uncaught]))
    context.close()
    assert not uncaught, uncaught


@pytest.fixture
def bundle(npm_packages: Path, tmp_path: Path) -> Callable[[Path], str]:
    """Makes one script of a page's source and of what it imports from npm."""
    return lambda source: bundle_page(source, npm_packages, tmp_path / "bundle.js")
