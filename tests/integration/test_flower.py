"""Flower sees Steps as tasks, and what is asked of them there is done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from integration.apps import Project, wait_until
from integration.flower import Flower
from servers import RabbitNode

from motia_celery.model.event import run_id


def test_flower_shows_steps_workers_and_queues_and_controls_them(
    make_project: Callable[..., Project], private_rabbitmq: RabbitNode
) -> None:
    project = make_project(private_rabbitmq.url, prefetch=1)
    project.step("works", ["asked"], retries=1)
    with closing(Flower(project, private_rabbitmq)) as flower:
        project.worker("--concurrency", "1", "--name", "one@here")

        # Steps by name, with arguments, states, retries and runtime.
        project.emit("asked", {"sleep": 0.2, "note": "plain"})
        project.emit("asked", {"fails": {"works": 1}})
        project.emit("asked", {"fails": {"works": 9}})
        done = flower.wait_for("step:works", "SUCCESS", 2)
        plain = next(task for task in done if "plain" in task["args"])
        assert plain["runtime"] >= 0.2
        assert plain["worker"] == "one@here"
        again = next(task for task in done if task is not plain)
        assert again["retries"] == 1
        (failed,) = flower.wait_for("step:works", "FAILURE")
        assert "ValueError: works fails attempt 2" in failed["exception"]

        # The worker and its pool.
        (worker,) = flower.get("/api/workers", refresh="true").values()
        assert project.queue("works") in {queue["name"] for queue in worker["active_queues"]}
        assert worker["stats"]["pool"]["max-concurrency"] == 1

        # Queues with their depth, by the broker's API.
        wait_until(lambda: depths(flower) == {project.queue("works"): 0}, "an empty queue", 60)

        # Rate limits and revocations.
        answer = flower.post(
            "/api/task/rate-limit/step:works", workername="one@here", ratelimit="1000/m"
        )
        assert "new rate limit set" in answer["message"]
        registered = project.start(
            "-m", "celery", "-A", "motia_celery.app", "inspect", "registered"
        )
        assert registered.wait() == 0
        assert "step:works [rate_limit=1000/m]" in registered.words
        project.emit("asked", {"sleep": 60, "token": "cut"})
        (cut,) = project.wait_for("works", what="begun", token="cut")
        waiting = project.emit("asked", {"token": "waiting"})
        unseen = run_id(waiting.id, project.queue("works"))
        flower.post(f"/api/task/revoke/{unseen}")
        flower.post(f"/api/task/revoke/{cut['run']}", terminate="true")
        (revoked,) = flower.wait_for("step:works", "REVOKED")
        assert revoked["uuid"] == cut["run"]
        # It came to no worker before, so Flower has not heard its name.
        wait_until(
            lambda: flower.get("/api/tasks").get(unseen, {}).get("state") == "REVOKED",
            "what waited is revoked",
        )
        project.emit("asked", {"token": "next"})
        project.wait_for("works", token="next")
        assert not project.notes("works", "done", token="cut")
        assert not project.notes("works", token="waiting")


def depths(flower: Flower) -> dict[str, int | None]:
    queues = flower.get("/api/queues/length")["active_queues"]
    return {q["name"]: q.get("messages") for q in queues if ".q." in q["name"]}
