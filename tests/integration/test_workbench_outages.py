"""The Workbench while a server is away, and when its own process ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from integration.apps import Project, wait_until
from integration.workbench import Bench
from servers import RabbitNode, Room


@pytest.fixture
def bench(private_rabbitmq: RabbitNode, make_project: Callable[..., Project]) -> Iterator[Bench]:
    with closing(Bench(make_project(private_rabbitmq.url))) as made:
        yield made


def answers(bench: Bench) -> dict[str, Any] | None:
    """What `/queues` says, where it says something."""
    answer = bench.client.get("/__workbench/api/queues")
    return answer.json() if answer.status_code == 200 else None


def test_without_the_broker_each_question_is_answered_and_all_is_well_after(
    bench: Bench, private_rabbitmq: RabbitNode
) -> None:
    assert {queue["exists"] for queue in bench.get("/queues")["queues"]} <= {True, False}
    with bench.feed("queues", "state") as feed:
        feed.until("queues")
        private_rabbitmq.kill()
        # An answer of a moment ago may be given once more.
        wait_until(lambda: answers(bench) is None, "it is noticed")
        for path in ("/queues", "/workers", "/dead-letters"):
            fault = bench.get(path, 503)
            assert "broker" in fault["error"], path
            assert fault["fix"]
        fault = bench.post("/topics/kept/emit", {"data": 1}, 503)
        assert fault.keys() == {"error", "fix", "where"}
        for path in ("/app", "/flows", "/state/groups", "/schedules", "/steps/makes"):
            bench.get(path)
        bench.put("/state/value", {"group": "g", "key": "k", "value": 1})
        feed.until("state")
        private_rabbitmq.start()
        bench.project.worker()
        wait_until(lambda: answers(bench), "the queues are told of again", 90, 0.5)
        wait_until(
            lambda: all(queue["exists"] for queue in (answers(bench) or {"queues": []})["queues"]),
            "every queue is there",
            60,
            0.5,
        )
        bench.post("/topics/thing.made/emit", {"data": {"token": "after"}})
        bench.project.wait_for("makes", token="after", seconds=60)


def test_without_redis_the_diagram_is_still_drawn(
    broker_url: str, room: Room, tmp_path_factory: pytest.TempPathFactory, name_prefix: str
) -> None:
    folder = tmp_path_factory.mktemp("away")
    with room.redis() as server:
        project = Project(folder, name_prefix, server.url, broker_url)
        with closing(project), closing(Bench(project)) as bench:
            server.stop()
            assert bench.get("/flows")["nodes"]
            assert bench.get("/steps/makes")["source"]["text"]
            # RabbitMQ has them, and how fast they fill is in Redis.
            wait_until(lambda: bench.get("/queues")["queues"][0]["sent_per_second"] is None, "it")
            for path, params in (
                ("/state/groups", {}),
                ("/streams/groups", {"stream": "things"}),
            ):
                fault = bench.get(path, 503, **params)
                assert fault["where"].startswith("redis://")
                assert fault["fix"]
            assert bench.client.get("/__motia/state").status_code == 500


def test_an_open_feed_does_not_hold_up_the_end(make_project: Callable[..., Project]) -> None:
    with closing(Bench(make_project(None))) as bench, bench.feed() as feed:
        assert feed.next()["type"] == "reset"
        bench.web.send(signal.SIGTERM)
        with pytest.raises(AssertionError, match="has ended"):
            while True:
                feed.next()
        assert bench.web.wait(60) in (0, -signal.SIGTERM)
