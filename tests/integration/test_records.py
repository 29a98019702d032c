"""Records of runs, as their processes write them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from integration.apps import Project, wait_until
from servers import free_ports

from motia_celery.model.record import LogFilter, RunFilter, RunRecord, RunSummary
from motia_celery.stores.embedded import EmbeddedServer
from motia_celery.stores.runs import Runs

ROUTE = """
import logging

config = {
    "type": "api", "name": "order", "method": "POST", "path": "/orders", "emits": ["ordered"],
    "flows": ["shop"],
}


async def handler(req, context):
    logging.getLogger("library").warning("Library says %s", "hello", extra={"token": "s3cret"})
    await context.emit({"topic": "ordered", "data": {"id": 7, "password": "hunter2"}})
    return {"status": 201, "body": {"id": 7}, "headers": {"Set-Cookie": "sid=s3cret"}}
"""

RESERVE = """
export const config = {
  type: 'event', name: 'reserve', subscribes: ['ordered'], emits: ['reserved'], flows: ['shop'],
  infrastructure: { queue: { maxRetries: 2 } },
};
export const handler = async (data, { emit, state, logger, attempt }) => {
  console.log('reserving %d', data.id);
  logger.info('Reserving', { order: data.id, apiKey: 's3cret' });
  await state.set('orders', String(data.id), { status: 'reserved', pin: { token: 's3cret' } });
  if (attempt === 1) throw new RangeError('no stock');
  await emit({ topic: 'reserved', data: { id: data.id } });
};
"""

SHIP = """
config = {
    "type": "event", "name": "ship", "subscribes": ["reserved"], "flows": ["shop"],
    "infrastructure": {"handler": {"isolated": True}, "queue": {"maxRetries": 0}},
}


def handler(data, context):
    import logging

    logging.getLogger("courier").error("No van")
    context.state.delete("orders", "7")
    raise ValueError("no van")
"""


@pytest.fixture
def runs_of(request: pytest.FixtureRequest) -> Callable[[Project], Runs]:
    def of(project: Project) -> Runs:
        runs = Runs(project.settings())
        request.addfinalizer(runs.close)
        return runs

    return of


def over(runs: Runs, count: int, **wanted: Any) -> list[RunSummary]:
    """The runs, the oldest first, once there are so many and none goes on."""

    def settled() -> list[RunSummary]:
        found = runs.page(RunFilter(**wanted), 500).runs
        waits = [run for run in found if run.status in ("running", "retrying")]
        return list(found) if len(found) >= count and not waits else []

    return wait_until(settled, f"{count} runs over", 60)[::-1]


def test_the_records_of_a_flow(project: Project, runs_of: Callable[[Project], Runs]) -> None:
    """Http, a Node Step that is tried twice, and an isolated Python Step that dies: all there."""
    for name, source in (("order", ROUTE), ("ship", SHIP)):
        (project.folder / "steps" / f"{name}_step.py").write_text(source)
    (project.folder / "steps" / "reserve.step.js").write_text(RESERVE)
    (port,) = free_ports(1)
    web = project.command("web", port=port, host="127.0.0.1")
    worker = project.worker()
    web.wait_for_line("web.ready")
    answer = httpx.post(
        f"http://127.0.0.1:{port}/orders",
        json={"note": "x", "password": "hunter2"},
        headers={"Authorization": "Bearer s3cret"},
        timeout=20,
    )
    assert answer.status_code == 201
    runs = runs_of(project)
    trace = answer.headers["x-trace-id"]
    over(runs, 3, trace=trace)
    order, reserve, ship = records = list(runs.trace(trace))
    check_order(order)
    check_reserve(reserve, order)
    check_ship(ship, reserve)
    check_log(runs, trace)
    assert [record.summary.root_id for record in records[1:]] == [order.summary.id] * 2
    assert "s3cret" not in repr(records)
    assert "hunter2" not in repr(records)
    for process in (web, worker):
        assert "s3cret" not in process.output
        assert "hunter2" not in process.output


def check_order(order: RunRecord) -> None:
    summary, (attempt,) = order.summary, order.attempts
    assert (summary.step, summary.trigger, summary.status) == ("order", "http", "completed")
    assert summary.flows == ("shop",)
    assert order.input["method"], order.input["path"] == ("POST", "/orders")
    assert order.input["body"] == {"note": "x", "password": "[redacted]"}
    assert order.input["headers"]["authorization"] == "[redacted]"
    assert attempt.output["status"] == 201
    assert attempt.output["headers"] == {"Set-Cookie": "[redacted]"}
    line, emit = attempt.entries
    assert (line.kind, line.fields["level"], line.fields["msg"]) == (
        "log",
        "warn",
        "Library says hello",
    )
    assert emit.kind == "emit"
    assert emit.fields["ok"] is True
    assert emit.fields["data"] == {"id": 7, "password": "[redacted]"}


def check_reserve(reserve: RunRecord, order: RunRecord) -> None:
    summary, (first, second) = reserve.summary, reserve.attempts
    assert (summary.step, summary.status, summary.attempt) == ("reserve", "completed", 2)
    assert (summary.topic, summary.parent_id) == ("ordered", order.summary.id)
    assert summary.error is None
    assert first.error is not None
    assert (first.error.type, first.error.message) == ("RangeError", "no stock")
    assert "reserve.step.js" in first.error.traceback
    assert [entry.kind for entry in first.entries] == ["log", "log", "state"]
    assert first.entries[0].fields["msg"] == "reserving 7"
    assert first.entries[1].fields["data"] == {"order": 7, "apiKey": "[redacted]"}
    assert first.entries[2].fields["value"]["pin"] == {"token": "[redacted]"}
    assert [entry.kind for entry in second.entries] == ["log", "log", "state", "emit"]
    for attempt in (first, second):
        assert attempt.wait_ms is not None
        assert attempt.wait_ms < 20_000
        assert attempt.ended_ms is not None
        assert attempt.ended_ms >= attempt.started_ms
        assert not attempt.is_lost


def check_ship(ship: RunRecord, reserve: RunRecord) -> None:
    summary, (attempt,) = ship.summary, ship.attempts
    assert (summary.status, summary.parent_id) == ("failed", reserve.summary.id)
    assert summary.error is not None
    assert (summary.error.type, summary.error.message) == ("ValueError", "no van")
    line, change = attempt.entries
    assert (line.fields["level"], line.fields["msg"]) == ("error", "No van")
    assert (change.kind, change.fields["op"], change.fields["key"]) == ("state", "delete", "7")


def check_log(runs: Runs, trace: str) -> None:
    # Two processes write theirs five times a second, each when it comes to it.
    lines = sorted(runs.logs(LogFilter(trace=trace)), key=lambda line: line.at_ms)
    assert [line.msg for line in lines] == [
        "Library says hello",
        *("reserving 7", "Reserving"),
        *("reserving 7", "Reserving"),
        "No van",
    ]
    assert [line.attempt for line in lines] == [1, 1, 1, 2, 2, 1]
    assert {line.flows for line in lines} == {("shop",)}


@pytest.mark.parametrize("pool", ["async", "threads", "prefork"])
def test_each_pool_records(
    on_rabbitmq: Project, pool: str, runs_of: Callable[[Project], Runs]
) -> None:
    """Attempts of one run may be made by several processes; what they end with is not lost."""
    project, runs = on_rabbitmq, runs_of(on_rabbitmq)
    project.step("one", ["go"], retries=1)
    project.step("two", ["go"], retries=0, sync=True)
    worker = project.worker(pool=pool, concurrency=2)
    project.emit("go", {"fails": {"one": 1, "two": 1}})
    one, two = sorted(over(runs, 2), key=lambda run: run.step)
    assert (one.status, one.attempt, two.status) == ("completed", 2, "failed")
    project.emit("go", {})
    project.wait_for("one", 2)
    project.wait_for("two", 1)
    assert worker.terminate() == 0
    # The last ones were written when their processes ended, which they say once.
    assert worker.output.count("Worker stopped") == 1
    assert [run.status for run in runs.page().runs[:2]] == ["completed", "completed"]


WAITS = """
import asyncio
from pathlib import Path

config = {config!r}


async def handler(data, context):
    while not Path("go").exists():
        await asyncio.sleep(0.05)
"""


def test_a_run_whose_worker_was_killed_is_lost_until_it_is_done_again(
    on_rabbitmq: Project,
    runs_of: Callable[[Project], Runs],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stays with its attempt that never ended; the next process adds its own."""
    project, runs = on_rabbitmq, runs_of(on_rabbitmq)
    project.step("waits", ["slow"], retries=0, source=WAITS)
    worker = project.worker(concurrency=2)
    project.emit("slow", {})
    (begun,) = wait_until(lambda: runs.page().runs, "its record")
    record = runs.get(begun.id)
    assert record is not None
    assert not record.is_lost
    worker.kill()
    with monkeypatch.context() as patch:
        patch.setattr("motia_celery.stores.runs.SILENCE_SECONDS", -1)  # in place of waiting
        record = runs.get(begun.id)
    assert record is not None
    assert record.summary.status == "running"
    assert record.is_lost
    (project.folder / "go").touch()
    project.worker(concurrency=2)
    (done,) = over(runs, 1)
    assert (done.id, done.status, done.attempt) == (begun.id, "completed", 1)
    record = runs.get(begun.id)
    assert record is not None
    killed, second = record.attempts
    assert (killed.number, second.number) == (1, 1)
    assert killed.ended_ms is None
    assert killed.worker != second.worker


def test_redis_killed_under_load_fails_no_run(
    tmp_path: Path,
    name_prefix: str,
    broker_url: str,
    private_redis: EmbeddedServer,
    runs_of: Callable[[Project], Runs],
) -> None:
    """Records may be lost, runs are not; once Redis is back, what runs then has records."""
    with closing(Project(tmp_path, name_prefix, private_redis.url, broker_url)) as project:
        check_outage(project, private_redis, runs_of(project))


def check_outage(project: Project, private_redis: EmbeddedServer, runs: Runs) -> None:
    project.step("work", ["work"], retries=0)
    worker = project.worker(concurrency=20)

    def emit(first: int, count: int) -> None:
        for number in range(first, first + count):
            project.emit("work", {"token": number, "sleep": 0.02})

    emit(0, 100)
    project.wait_for("work", 20)
    private_redis.stop()
    emit(100, 200)
    project.wait_for("work", 300, seconds=60)
    private_redis.start()
    emit(300, 20)
    project.wait_for("work", 320, seconds=60)
    numbers = {note["data"]["token"] for note in project.notes("work")}
    assert numbers == set(range(320))

    def is_recorded() -> bool:
        found = runs.page(limit=500).runs
        return len([run for run in found if run.status == "completed"]) >= 20

    wait_until(is_recorded, "records of the last runs", 60)
    assert project.take(project.names.dead_letter_queue) == []
    assert worker.terminate() == 0


def test_without_records_there_are_none(
    on_rabbitmq: Project, runs_of: Callable[[Project], Runs]
) -> None:
    """The setting ``records``; failures are recorded even where no success is."""
    project, runs = on_rabbitmq, runs_of(on_rabbitmq)
    project.step("one", ["go"], retries=0)
    off = project.worker(records="false")
    project.emit("go", {"fails": {"one": 1}})
    project.dead_letters()
    assert off.terminate() == 0
    assert runs.page().runs == ()
    project.worker(record_successes=0)
    project.emit("go", {})
    project.wait_for("one")
    project.emit("go", {"fails": {"one": 1}})
    (run,) = over(runs, 1)
    assert run.status == "failed"


def test_a_run_that_is_called_off_is_cancelled(
    on_rabbitmq: Project, runs_of: Callable[[Project], Runs]
) -> None:
    project, runs = on_rabbitmq, runs_of(on_rabbitmq)
    project.step("waits", ["slow"], retries=3, source=WAITS)
    project.worker(concurrency=2)
    project.emit("slow", {})
    (begun,) = wait_until(lambda: runs.page().runs, "its record")
    assert project.command("cancel", "run", begun.id).wait() == 0
    (over_now,) = over(runs, 1)
    assert (over_now.status, over_now.attempt) == ("cancelled", 1)


def test_a_fifo_steps_attempts_are_recorded(
    project: Project, runs_of: Callable[[Project], Runs]
) -> None:
    """Its retries happen in place; each waits for its own turn only."""
    runs = runs_of(project)
    queue = {"type": "fifo", "maxRetries": 2}
    project.step("line", ["line"], infrastructure={"queue": queue})
    project.worker()
    project.emit("line", {"fails": {"line": 1}}, group="g")
    (run,) = over(runs, 1)
    assert (run.status, run.attempt, run.group) == ("completed", 2, "g")
    record = runs.get(run.id)
    assert record is not None
    first, second = record.attempts
    assert first.error is not None
    assert first.ended_ms is not None
    assert second.wait_ms is not None
    assert second.wait_ms < second.started_ms - first.ended_ms
