"""Flower's pages, as a person sees them."""

from __future__ import annotations

import base64
import secrets
from contextlib import closing
from pathlib import Path

from integration.apps import Project
from integration.flower import PASSWORD, USER, Flower
from playwright.sync_api import Page, expect
from servers import RabbitNode

SCREENSHOTS = Path(__file__).parent / "screenshots"


def test_a_task_page_has_the_step_its_arguments_state_and_runtime(
    page: Page, tmp_path: Path, private_rabbitmq: RabbitNode, redis_url: str
) -> None:
    prefix = f"t{secrets.token_hex(4)}"
    project = Project(tmp_path, prefix, redis_url, private_rabbitmq.url)
    project.step("charge-card", ["order.created"], retries=0)
    with closing(project), closing(Flower(project, private_rabbitmq)) as flower:
        project.worker("--name", "one@here")
        project.emit("order.created", {"order": "lamp"})
        project.emit("order.created", {"order": "sofa", "fails": {"charge-card": 9}})
        (done,) = flower.wait_for("step:charge-card", "SUCCESS")
        (failed,) = flower.wait_for("step:charge-card", "FAILURE")
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        page.set_extra_http_headers({"authorization": f"Basic {login}"})

        page.goto(f"{flower.address}/task/{done['uuid']}")
        for text in ("step:charge-card", "SUCCESS", "lamp", "one@here", "Runtime"):
            expect(page.get_by_text(text).first).to_be_visible(timeout=60_000)
        picture(page, "flower-task")
        page.goto(f"{flower.address}/task/{failed['uuid']}")
        expect(page.get_by_text("charge-card fails attempt 1").first).to_be_visible(timeout=60_000)
        picture(page, "flower-task-failed")
        page.goto(f"{flower.address}/tasks")
        for state in ("SUCCESS", "FAILURE"):
            expect(page.get_by_role("cell", name=state)).to_be_visible(timeout=60_000)
        picture(page, "flower-tasks")
        page.goto(f"{flower.address}/broker")
        expect(page.get_by_text(project.queue("charge-card")).first).to_be_visible(timeout=60_000)
        picture(page, "flower-broker")


def picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
