"""What the Workbench's page shows of other processes: state, ticks and queues, as they change."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from acceptance.conftest import free_port
from integration.apps import Project
from playwright.sync_api import Page, expect

TOKEN = "t" * 32

COUNTS = """
config = {"type": "event", "name": "counts", "subscribes": ["count"], "emits": []}


async def handler(data, context):
    await context.state.set("numbers", data["key"], {"n": data["n"]})
"""

SLOW = """
import asyncio

config = {"type": "cron", "name": "slow", "cron": "*/2 * * * * *", "emits": []}


async def handler(context):
    await asyncio.sleep(5)
"""

NODE = """
import { EventNode } from 'motia/workbench'

export const Node = (props) => <EventNode {...props}>Counted here</EventNode>
"""


@pytest.fixture
def project(tmp_path: Path, redis_url: str) -> Iterator[Project]:
    made = Project(tmp_path / "app", f"l{secrets.token_hex(4)}", redis_url, None)
    steps = made.folder / "steps"
    for name, source in (("counts_step.py", COUNTS), ("slow_step.py", SLOW)):
        (steps / name).write_text(source)
    (steps / "counts_step.tsx").write_text(NODE)
    with closing(made):
        yield made


def open_page(page: Page, project: Project) -> str:
    """Signs in, and waits until the page hears of changes; gives its address."""
    port = free_port()
    web = project.command("web", port=port, host="127.0.0.1", admin_token=TOKEN)
    web.wait_for_line("web.ready")
    address = f"http://127.0.0.1:{port}/__workbench"
    page.goto(address)
    page.locator("input[type=password]").fill(TOKEN)
    page.keyboard.press("Enter")
    side = page.get_by_role("complementary", name="Workbench")
    expect(side.get_by_text("Live")).to_be_visible()
    return address


def emit(address: str, data: dict[str, Any]) -> None:
    """Has the worker set a number."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    url = f"{address}/api/topics/count/emit"
    httpx.post(url, json={"data": data}, headers=headers, timeout=60).raise_for_status()


def test_state_and_ticks_of_other_processes_are_shown_as_they_change(
    page: Page, project: Project
) -> None:
    address = open_page(page, project)
    project.worker()
    project.command("beat")
    emit(address, {"key": "one", "n": 1})
    page.goto(f"{address}/state?group=numbers")
    values = page.get_by_role("table", name="Values")
    expect(values.get_by_text('{"n":1}')).to_be_visible()

    # A worker's changes, in the list and in the value that is open.
    page.goto(f"{address}/state?group=numbers&key=one")
    panel = page.get_by_role("complementary", name="The value")
    expect(panel).to_contain_text('"n": 1')
    emit(address, {"key": "one", "n": 22})
    emit(address, {"key": "two", "n": 333})
    expect(values.get_by_role("button", name="two")).to_be_visible()
    expect(panel).to_contain_text('"n": 22')
    assert project.command("state", "delete", "numbers", "--all").wait(60) == 0
    expect(page.get_by_text("No state is kept yet")).to_be_visible()

    page.goto(f"{address}/queues?view=schedules")
    expect(page.get_by_text(re.compile("of its last runs overlap"))).to_be_visible()
    expect(page.get_by_text(re.compile("late, overlaps the one before")).first).to_be_visible()
    page.goto(f"{address}/queues")
    row = page.get_by_role("listitem").filter(has_text="slow")
    expect(row.get_by_text("Begun / s")).to_be_visible()
    expect(row).to_contain_text("0.5")

    page.goto(f"{address}/flows?step=counts")
    expect(page.get_by_text("steps/counts_step.tsx")).to_be_visible()
    expect(page.get_by_text("Counted here")).to_be_visible()
