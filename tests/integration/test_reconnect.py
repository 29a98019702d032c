"""A worker whose broker goes away and comes back goes on, in the same process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from integration.apps import Project, wait_until
from servers import RabbitNode

from motia_celery.stores.embedded import EmbeddedServer

MakeProject = Callable[..., Project]


def goes_on(project: Project, kill: Callable[[], None], start: Callable[[], None]) -> None:
    project.step("slow", ["slow"])
    worker = project.worker()
    for number in range(5):
        project.emit("slow", {"token": number, "sleep": 6})
    project.wait_for("slow", 5, "begun")

    kill()
    wait_until(lambda: "Connection to broker lost" in worker.output, "the loss is seen", 60)
    start()
    project.emit("slow", {"token": "after"})

    (after,) = project.wait_for("slow", 1, token="after", seconds=60)
    assert after["pid"] == worker.pid
    # The runs of before end too, and can not be acknowledged any more.
    project.wait_for("slow", 6)
    project.emit("slow", {"token": "last"})
    (last,) = project.wait_for("slow", 1, token="last", seconds=60)
    assert last["pid"] == worker.pid
    assert "Unrecoverable" not in worker.output


def test_redis_is_killed_with_runs_under_way(
    make_project: MakeProject, private_redis: EmbeddedServer
) -> None:
    def kill() -> None:
        os.kill(private_redis.pid, signal.SIGKILL)
        wait_until(lambda: not private_redis.running, "Redis is gone")

    project = make_project(private_redis.url)
    goes_on(project, kill, private_redis.start)


def test_rabbitmq_is_killed_with_runs_under_way(
    make_project: MakeProject, private_rabbitmq: RabbitNode
) -> None:
    goes_on(make_project(private_rabbitmq.url), private_rabbitmq.kill, private_rabbitmq.start)


def test_a_run_is_longer_than_the_consumer_timeout(
    make_project: MakeProject, private_rabbitmq: RabbitNode
) -> None:
    """RabbitMQ closes its channel and delivers it again, which is the same run."""
    node = private_rabbitmq
    node.ctl("eval", "application:set_env(rabbit, consumer_timeout, 2000).")
    node.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 500).")
    project = make_project(node.url)
    project.step("slow", ["slow"])
    worker = project.worker()
    project.emit("slow", {"token": "long", "sleep": 5})
    project.wait_for("slow", 2, "begun", seconds=60)

    project.emit("slow", {"token": "after"})

    (after,) = project.wait_for("slow", 1, token="after", seconds=60)
    assert after["pid"] == worker.pid
    assert len({note["run"] for note in project.notes("slow", token="long")}) == 1


def test_a_step_that_says_it_takes_long_has_its_own_consumer_timeout(
    make_project: MakeProject, private_rabbitmq: RabbitNode
) -> None:
    """From RabbitMQ 3.12 on; an older one takes no notice of the queue's argument."""
    node = private_rabbitmq
    node.ctl("eval", "application:set_env(rabbit, consumer_timeout, 2000).")
    node.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 500).")
    project = make_project(node.url)
    project.step("slow", ["slow"], infrastructure={"handler": {"timeout": 1000}})
    project.worker()
    project.emit("slow", {"token": "long", "sleep": 6})
    project.wait_for("slow", token="long", seconds=60)
    version = node.api("GET", "/overview")["rabbitmq_version"].split(".")
    has_own = (int(version[0]), int(version[1])) >= (3, 12)
    assert (len(project.notes("slow", "begun")) == 1) is has_own
