"""``motia-celery doctor --live`` on real servers: each thing that can be wrong, and none."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from integration.apps import Project, wait_until
from servers import RabbitNode
from typer.testing import CliRunner

from motia_celery.broker.alarm import alarm
from motia_celery.cli import app as cli
from motia_celery.settings import load_settings

TICK = """
config = {"type": "cron", "name": "tick", "cron": "* * * * * *", "emits": []}


async def handler(context):
    pass
"""


def live(project: Project, *options: str, **settings: object) -> tuple[int, dict[str, Any]]:
    """The exit code and the report."""
    doctor = project.command("doctor", "--live", "--json", "--window", "2", *options, **settings)
    code = doctor.wait()
    assert "Traceback" not in doctor.output
    fields: dict[str, Any] = json.loads(doctor.output)
    return code, fields


def whats(fields: dict[str, Any]) -> list[str]:
    for problem in fields["problems"]:
        assert problem["fix"]
    return [f"{problem['file']}: {problem['what']}" for problem in fields["problems"]]


def test_an_app_that_works_is_well_until_there_are_more_dead_letters(project: Project) -> None:
    project.step("works", ["asked"], retries=0)
    project.worker()
    project.emit("asked", {})
    project.wait_for("works")
    code, fields = live(project)
    assert (code, fields["problems"]) == (0, [])
    (queue,) = fields["live"]["queues"]
    assert (queue["step"], queue["ready"], queue["oldest_seconds"]) == ("works", 0, 0)
    told = project.command("doctor", "--live", "--window", "0.1")
    assert told.wait() == 0
    assert "Nothing is wrong." in told.output
    letters = project.names.dead_letter_queue
    project.emit("asked", {"fails": {"works": 9}})
    wait_until(lambda: project.depth(letters) == 1, "it died")
    code, fields = live(project)
    assert (code, whats(fields)) == (
        1,
        ["dead letters: 1 more than when doctor looked last; there are 1."],
    )
    assert live(project)[0] == 0
    project.emit("asked", {"fails": {"works": 9}})
    wait_until(lambda: project.depth(letters) == 2, "another one")
    assert live(project, "--max-dead-letters", "1")[0] == 0


def test_a_queue_that_nobody_serves_is_told(on_rabbitmq: Project) -> None:
    on_rabbitmq.step("works", ["asked"])
    assert on_rabbitmq.release().wait() == 0
    on_rabbitmq.emit("asked", {})
    wait_until(lambda: on_rabbitmq.depth(on_rabbitmq.queue("works")), "it waits")
    code, fields = live(on_rabbitmq)
    assert (code, whats(fields)) == (
        1,
        ["Step works: no worker takes its messages; 1 message wait."],
    )


def test_a_queue_of_which_nothing_ends_is_told(project: Project) -> None:
    project.step("works", ["asked"])
    project.worker("--concurrency", "1", prefetch=1)
    for _ in range(4):
        project.emit("asked", {"sleep": 60})
    project.wait_for("works", what="begun")
    # On RabbitMQ a worker takes one more than it runs.
    wait_until(lambda: 0 < project.depth(project.queue("works")) < 4, "the others wait")
    code, fields = live(project)
    assert code == 1
    (told,) = whats(fields)
    assert "nothing of it ended within 2 s" in told
    paused = project.command("pause", "works")
    assert paused.wait() == 0
    code, fields = live(project)
    (told,) = whats(fields)
    assert (code, "it is paused" in told) == (0, True)


def test_a_queue_that_moves_but_is_far_behind_is_told(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("works", ["asked"])
    project.worker("--concurrency", "1", prefetch=1)
    long_ago = int((time.time() - 600) * 1000)
    for _ in range(60):
        project.emit("asked", {"sleep": 0.5}, timestamp_ms=long_ago)
    project.wait_for("works", 2, seconds=60)
    code, fields = live(project, "--max-wait", "300")
    (told,) = whats(fields)
    assert code == 1
    assert re.search(r"wait, for up to [67]\d\d s", told)
    assert live(project, "--max-wait", "3000")[0] == 0


def test_a_beat_that_is_not_there_is_told(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    (project.folder / "steps" / "tick_step.py").write_text(TICK)
    project.worker()
    code, fields = live(project)
    assert code == 1
    assert fields["live"]["beat"] is False
    assert any(told.startswith("beat: no beat has ticked") for told in whats(fields))
    beat = project.command("beat")
    beat.wait_for_line("beat.leads")
    wait_until(lambda: live(project)[1]["live"]["beat"], "the beat gives a sign", 60)


def test_servers_that_are_away_are_told_by_a_code_of_their_own(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("works", ["asked"])
    away = {"redis_url": "redis://127.0.0.1:1/0", "broker_url": "amqp://127.0.0.1:1/"}
    code, fields = live(project, **away)
    assert code == 3
    assert len(whats(fields)) == 2


def test_an_alarm_of_the_broker_is_told(private_rabbitmq: RabbitNode) -> None:
    settings = load_settings(environ={"AMQP_URL": private_rabbitmq.url})
    assert alarm(settings) is None
    private_rabbitmq.ctl("set_vm_memory_high_watermark", "0")
    assert wait_until(lambda: alarm(settings), "the alarm is told")


def test_senseless_bounds_are_refused() -> None:
    for option in ("--window=0", "--max-wait=-1", "--max-dead-letters=-1"):
        assert CliRunner().invoke(cli, ["doctor", "--live", option]).exit_code == 2
