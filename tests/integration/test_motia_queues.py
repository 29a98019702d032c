"""The queue endpoints of Motia's Workbench: jobs are runs, and dead letters have queues too."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from integration.apps import Project, wait_until
from integration.workbench import Bench
from servers import GivenRabbit, RabbitNode, Room

JOB_FIELDS = {
    *("id", "name", "data", "opts", "progress", "timestamp", "attemptsMade", "processedOn"),
    *("finishedOn", "returnvalue", "failedReason", "stacktrace", "delay"),
}
NOTHING = dict.fromkeys(
    ("waiting", "active", "completed", "failed", "delayed", "paused", "prioritized"), 0
)
#: Every endpoint, by what it does.
ENDPOINTS = (
    ("GET", "/queues"),
    ("GET", "/queues/fails.fails"),
    ("POST", "/queues/paused.paused/pause"),
    ("POST", "/queues/paused.paused/resume"),
    ("POST", "/queues/fails.fails/clean"),
    ("POST", "/queues/kept.kept/drain"),
    ("GET", "/queues/fails.fails/jobs"),
    ("GET", "/queues/fails.fails/jobs/JOB"),
    ("POST", "/queues/fails.fails/jobs/JOB/retry"),
    ("POST", "/queues/fails.fails/jobs/JOB/remove"),
    ("POST", "/queues/fails.fails/jobs/JOB/promote"),
    ("GET", "/dlq/fails.fails.dlq/jobs"),
    ("POST", "/dlq/fails.fails.dlq/retry/dlq-JOB"),
    ("POST", "/dlq/fails.fails.dlq/retry-all"),
    ("POST", "/dlq/fails.fails.dlq/clear"),
)


class Queues:
    """A client of the endpoints."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def ask(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = self.bench.client.request(method, f"/__motia/bullmq{path}", **options)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        return answer.json()

    def get(self, path: str, status: int = 200, /, **params: Any) -> Any:
        return self.ask("GET", path, status, params=params)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return self.ask("POST", path, status, json=body)

    def fail(self, token: str) -> str:
        """A run that has failed and left a dead letter; gives its id."""
        emitted = {"data": {"token": token, "fails": {"fails": 1}}}
        run = self.bench.post("/topics/fails/emit", emitted)["runs"]["fails"]

        def is_dead() -> bool:
            jobs = self.get("/dlq/fails.fails.dlq/jobs")["jobs"]
            return run in [job["originalJobId"] for job in jobs] and bool(self.job(run))

        wait_until(is_dead, "its dead letter and its record", 60, 0.3)
        return str(run)

    def job(self, run: str) -> dict[str, Any] | None:
        """The failed job, once its record says so."""
        jobs = self.get("/queues/fails.fails/jobs", status="failed")["jobs"]
        return next((job for job in jobs if job["id"] == run), None)


@pytest.fixture(scope="module", params=["rabbitmq", "redis"])
def queues(
    request: pytest.FixtureRequest, room: Room, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Queues]:
    """One app with a web process and a worker, for all tests of this file."""
    prefix = f"m{secrets.token_hex(4)}"
    rabbitmq: RabbitNode | GivenRabbit | None = None
    amqp_url = None
    if request.param == "rabbitmq":
        rabbitmq = request.getfixturevalue("rabbitmq")
        amqp_url = rabbitmq.vhost()
    with room.redis() as server:
        project = Project(tmp_path_factory.mktemp("queues"), prefix, server.url, amqp_url)
        with closing(project), closing(Bench(project)) as bench:
            project.worker()
            yield Queues(bench)
    if isinstance(rabbitmq, GivenRabbit):
        rabbitmq.delete_queues([plan.name for plan in project.topology.queues])
        rabbitmq.forget(prefix)
    elif rabbitmq is not None and amqp_url:
        rabbitmq.drop_vhost(amqp_url)


@pytest.fixture
def no_letters(queues: Queues) -> None:
    """No dead letter of the test before is left."""
    queues.post("/dlq/fails/clear")


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_each_is_guarded(queues: Queues, method: str, path: str) -> None:
    address = f"http://127.0.0.1:{queues.bench.port}/__motia/bullmq{path}"
    assert httpx.request(method, address).status_code == 401
    evil = queues.bench.client.request(
        method, f"/__motia/bullmq{path}", headers={"origin": "https://evil.example"}
    )
    assert evil.status_code == 403


@pytest.mark.usefixtures("no_letters")
def test_queues_are_listed_with_their_dead_letters_beside_them(queues: Queues) -> None:
    run = queues.fail("listed")
    found = {queue["name"]: queue for queue in queues.get("/queues")["queues"]}
    assert {"thing.made.makes", "fails.fails", "fails.fails.dlq", "tick/tock"} <= set(found)
    fails = found["fails.fails"]
    assert fails["displayName"] == "fails.fails"
    assert (fails["isDLQ"], fails["isPaused"]) == (False, False)
    assert fails["stats"] == {**NOTHING, "failed": fails["stats"]["failed"]}
    assert fails["stats"]["failed"] >= 1
    dead = found["fails.fails.dlq"]
    assert (dead["displayName"], dead["isDLQ"]) == ("fails.fails (DLQ)", True)
    assert dead["stats"] == {**NOTHING, "waiting": 1}
    for name in ("fails.fails", "fails", queues.bench.project.queue("fails")):
        assert queues.get(f"/queues/{name}") == fails
    assert queues.get("/queues/fails.fails.dlq") == dead
    assert queues.get(f"/queues/{quote('tick/tock', safe='')}")["name"] == "tick/tock"
    assert queues.get("/queues/gone.gone", 404) == {"error": "Queue 'gone.gone' not found"}
    assert queues.post("/dlq/fails.fails.dlq/clear") == {"message": "DLQ cleared"}
    assert queues.get("/dlq/fails.fails.dlq/jobs") == {"jobs": []}
    assert queues.job(run) is not None


def test_a_run_is_a_job(queues: Queues) -> None:
    run = queues.fail("a job")
    job = queues.job(run)
    assert job is not None
    assert job.keys() == JOB_FIELDS
    data = {"token": "[redacted]", "fails": {"fails": 1}}
    trace = queues.bench.get(f"/runs/{run}")["trace_id"]
    assert (job["name"], job["attemptsMade"]) == ("fails", 1)
    assert job["data"] == {"topic": "fails", "data": data, "traceId": trace}
    assert job["failedReason"] == "fails fails attempt 1"
    assert "ValueError: fails fails" in job["stacktrace"][0]
    assert job["timestamp"] <= job["processedOn"] <= job["finishedOn"]
    assert queues.get(f"/queues/fails.fails/jobs/{run}") == job
    assert queues.get("/queues/fails.fails/jobs", status="completed", start=0, end=-1)["jobs"] == []
    assert queues.get("/queues/fails.fails/jobs") == {"jobs": []}
    failed = queues.get("/queues/fails.fails/jobs", status="failed", start=0, end=0)["jobs"]
    assert [one["id"] for one in failed] == [run]
    for path in (f"/queues/kept.kept/jobs/{run}", "/queues/fails.fails/jobs/gone"):
        assert queues.get(path, 404) == {"error": "Job not found"}
    queues.get("/queues/fails.fails/jobs", 400, status="lost")


@pytest.mark.usefixtures("no_letters")
def test_a_failed_job_is_retried_or_removed(queues: Queues) -> None:
    run, other = queues.fail("retry me"), queues.fail("remove me")
    assert queues.post(f"/queues/fails.fails/jobs/{other}/remove") == {"message": "Job removed"}
    assert [job["originalJobId"] for job in queues.get("/dlq/fails/jobs")["jobs"]] == [run]
    before = len(queues.bench.project.notes("fails", "begun", "retry me"))
    assert queues.post(f"/queues/fails.fails/jobs/{run}/retry") == {"message": "Job retried"}
    wait_until(
        lambda: len(queues.bench.project.notes("fails", "begun", "retry me")) > before, "again"
    )
    queues.post(f"/queues/fails.fails/jobs/{run}/promote", status=400)
    for job in ("gone", "dlq-gone"):
        queues.post(f"/queues/fails.fails/jobs/{job}/retry", status=404)
    wait_until(lambda: queues.get("/dlq/fails/jobs")["jobs"], "it fails once more", 60, 0.3)
    queues.post("/dlq/fails/clear")


@pytest.mark.usefixtures("no_letters")
def test_dead_letters_are_jobs_of_a_queue_of_their_own(queues: Queues) -> None:
    run, other = queues.fail("one"), queues.fail("two")
    first, second = queues.get("/dlq/fails.fails.dlq/jobs")["jobs"]
    assert (first["id"], first["originalJobId"]) == (f"dlq-{run}", run)
    assert first["originalEvent"]["topic"] == "fails"
    assert first["originalEvent"]["data"] == {"token": "one", "fails": {"fails": 1}}
    assert (first["failureReason"], first["attemptsMade"]) == ("fails fails attempt 1", 1)
    assert first["failureTimestamp"] <= second["failureTimestamp"]
    assert queues.get("/dlq/fails.fails.dlq/jobs", start=1, end=1)["jobs"] == [second]
    job = queues.get(f"/queues/fails.fails.dlq/jobs/dlq-{other}")
    assert job.keys() == JOB_FIELDS
    assert job["data"]["originalJobId"] == other
    assert len(queues.get("/queues/fails.fails.dlq/jobs")["jobs"]) == 2
    one = queues.post(f"/dlq/fails.fails.dlq/retry/dlq-{run}")
    assert one == {"message": "Job retried from DLQ"}
    wait_until(
        lambda: len(queues.get("/dlq/fails.fails.dlq/jobs")["jobs"]) == 2, "it died again", 40, 0.3
    )
    every = queues.post("/dlq/fails.fails.dlq/retry-all")
    assert every == {"message": "Retried 2 jobs from DLQ", "count": 2}
    queues.post("/dlq/fails.fails.dlq/retry/gone", status=404)
    wait_until(
        lambda: len(queues.get("/dlq/fails.fails.dlq/jobs")["jobs"]) == 2,
        "they died again",
        60,
        0.3,
    )
    assert queues.post("/queues/fails.fails/clean") == {"deleted": 0, "ids": []}
    old = {"status": "failed", "grace": 3_600_000}
    assert queues.post("/queues/fails.fails/clean", old) == {"deleted": 0, "ids": []}
    cleaned = queues.post("/queues/fails.fails/clean", {"status": "failed", "limit": 1})
    assert (cleaned["deleted"], len(cleaned["ids"])) == (1, 1)
    queues.post("/queues/fails.fails/clean", {"status": "active"}, 400)
    assert queues.post("/queues/fails.fails.dlq/drain") == {"message": "Queue drained"}
    assert queues.get("/dlq/fails.fails.dlq/jobs") == {"jobs": []}
    # Those of other Steps are left alone.
    assert queues.post("/dlq/kept.kept.dlq/retry-all")["count"] == 0


def test_a_queue_is_paused_drained_and_resumed(queues: Queues) -> None:
    assert queues.post("/queues/paused.paused/pause") == {"message": "Queue paused"}
    workers = "the worker leaves the queue"
    wait_until(
        lambda: all(
            "paused" not in worker["steps"] for worker in queues.bench.get("/workers")["workers"]
        ),
        workers,
        pause=0.3,
    )
    queues.bench.post("/topics/paused/emit", {"data": {"token": "waits"}})

    def waiting() -> bool:
        queue = queues.get("/queues/paused.paused")
        return queue["isPaused"] and queue["stats"] == {**NOTHING, "paused": 1}

    wait_until(waiting, "one message", 60, 0.3)
    assert queues.get("/queues/paused.paused/jobs") == {"jobs": []}
    assert queues.post("/queues/paused.paused/drain") == {"message": "Queue drained"}
    wait_until(lambda: queues.get("/queues/paused.paused")["stats"] == NOTHING, "none", 60, 0.3)
    assert queues.post("/queues/paused.paused/resume") == {"message": "Queue resumed"}
    assert queues.get("/queues/paused.paused")["isPaused"] is False
    queues.post("/queues/paused.paused.dlq/pause", status=400)
