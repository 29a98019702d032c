"""Runs, traces and logs in the Workbench of a running app, as its processes record them."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from integration.apps import Project, wait_until
from integration.workbench import Bench
from servers import Room

from motia_celery.stores.embedded import EmbeddedServer

START = """
config = {
    "type": "api", "name": "order", "method": "POST", "path": "/orders", "emits": ["ordered"],
    "flows": ["shop"],
}


async def handler(req, context):
    context.logger.info("An order", {"n": req["body"]["n"], "token": "s3cret"})
    await context.emit({"topic": "ordered", "data": req["body"]})
    return {"status": 200, "body": {}}
"""

RESERVE = """
config = {
    "type": "event", "name": "reserve", "subscribes": ["ordered"], "emits": ["reserved"],
    "flows": ["shop"], "infrastructure": {"queue": {"maxRetries": 2}}, "retry": {"backoff": [0.2]},
}


async def handler(data, context):
    await context.state.set("orders", str(data["n"]), data)
    await context.streams.stock.set("shop", str(data["n"]), {"n": data["n"]})
    if context.attempt == 1:
        context.logger.warn("Once more")
        raise LookupError("not yet")
    await context.emit({"topic": "reserved", "data": data})
    return {"reserved": data["n"]}
"""

SHIP = """
config = {
    "type": "event", "name": "ship", "subscribes": ["reserved"], "emits": [], "flows": ["shop"],
    "infrastructure": {"queue": {"maxRetries": 0}},
}


async def handler(data, context):
    if data["n"] < 10:
        raise ValueError("no van")
    return data["n"]
"""

STOCK = """
config = {"name": "stock", "baseConfig": {"storageType": "default"}, "schema": {"type": "object"}}
"""


class Shop(Bench):
    """The bench with a flow of three Steps, of which the last one fails for small numbers."""

    def __init__(self, project: Project) -> None:
        folder = project.folder / "steps"
        for name, source in (("order", START), ("reserve", RESERVE), ("ship", SHIP)):
            (folder / f"{name}_step.py").write_text(source)
        (folder / "stock_stream.py").write_text(STOCK)
        super().__init__(project)

    def order(self, **body: Any) -> str:
        """Starts the flow, and gives its trace."""
        answer = httpx.post(f"http://127.0.0.1:{self.port}/orders", json=body, timeout=40)
        assert answer.status_code == 200, answer.text
        return answer.headers["x-trace-id"]

    def trace(self, id: str, runs: int = 3) -> dict[str, Any]:
        """The trace, once it has so many runs and all are over."""

        def over() -> dict[str, Any] | None:
            answer = self.client.get(f"/__workbench/api/traces/{id}")
            found = answer.json()
            is_over = answer.status_code == 200 and len(found["runs"]) == runs
            return found if is_over and found["ended_at"] is not None else None

        return dict(wait_until(over, f"{runs} runs of the trace", 40, 0.2))


@pytest.fixture(scope="module")
def shop(room: Room, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One app with a web process and a worker, for the tests that leave its records there."""
    with room.redis() as server:
        folder = tmp_path_factory.mktemp("shop")
        project = Project(folder, f"r{secrets.token_hex(4)}", server.url, None)
        with closing(project):
            made = Shop(project)
            with closing(made):
                project.worker()
                yield made


def test_a_flow_is_shown_with_its_tree_its_values_and_its_error(shop: Shop) -> None:
    trace = shop.trace(shop.order(n=1))
    assert (trace["name"], trace["status"], trace["left_out"]) == ("order", "failed", 0)
    order, reserve, ship = trace["runs"]
    assert [run["status"] for run in trace["runs"]] == ["completed", "completed", "failed"]
    assert [run["parent_id"] for run in trace["runs"]] == [None, order["id"], reserve["id"]]
    assert (order["trigger"], order["can_rerun"]) == ("http", False)
    assert order["input"]["value"]["body"] == {"n": 1}
    assert (reserve["topic"], reserve["attempt"], reserve["max_attempts"]) == ("ordered", 2, 3)
    assert [one["status"] for one in reserve["attempts"]] == ["failed", "completed"]
    assert reserve["attempts"][0]["error"]["message"] == "not yet"
    assert all(one["worker"] for one in reserve["attempts"])
    assert reserve["input"] == {"value": {"n": 1}, "truncated": False, "masked": False}
    assert reserve["output"]["value"] == {"reserved": 1}
    assert reserve["error"] is None
    assert reserve["queued_at"] <= reserve["started_at"] < reserve["ended_at"]
    assert reserve["duration_ms"] == pytest.approx(reserve["ended_at"] - reserve["started_at"])
    assert reserve["wait_ms"] == pytest.approx(reserve["started_at"] - reserve["queued_at"])
    assert (ship["error"]["type"], ship["error"]["message"]) == ("ValueError", "no van")
    line = SHIP.splitlines().index('        raise ValueError("no van")') + 1
    assert ship["error"]["where"] == f"steps/ship_step.py:{line}"
    assert "in handler" in ship["error"]["traceback"]
    assert shop.get(f"/runs/{ship['id']}") == ship


def test_what_runs_do_stands_below_them_in_the_waterfall(shop: Shop) -> None:
    trace = shop.trace(shop.order(n=2))
    order, reserve, ship = (run["id"] for run in trace["runs"])
    spans = {span["id"]: span for span in trace["spans"]}
    assert len(spans) == len(trace["spans"])
    assert all(span["parent_id"] in spans for span in spans.values() if span["id"] != order)
    assert [spans[id]["kind"] for id in (order, reserve, ship)] == ["request", "run", "run"]
    assert (spans[reserve]["parent_id"], spans[ship]["parent_id"]) == (order, reserve)
    assert (spans[reserve]["status"], spans[ship]["status"]) == ("ok", "error")

    def below(parent: str) -> list[tuple[str, str]]:
        found = [span for span in trace["spans"] if span["parent_id"] == parent]
        return [(span["kind"], span["name"]) for span in found if span["kind"] != "wait"]

    assert below(order) == [("emit", "ordered"), ("run", "reserve")]
    assert below(reserve) == [("attempt", "attempt 1"), ("attempt", "attempt 2"), ("run", "ship")]
    first, second = (span for span in trace["spans"] if span["kind"] == "attempt")
    done = [("state", "set orders/2"), ("stream", "set stock/shop/2")]
    assert below(first["id"]) == done
    assert below(second["id"]) == [*done, ("emit", "reserved")]
    assert (first["status"], second["status"]) == ("error", "ok")
    waits = [span for span in trace["spans"] if span["kind"] == "wait"]
    assert "for the next attempt" in [span["name"] for span in waits]
    emit = next(span for span in trace["spans"] if span["kind"] == "emit")
    assert emit["details"]["data"] == {"n": 2}


def test_runs_are_listed_by_each_filter_a_page_at_a_time(shop: Shop) -> None:
    since = shop.get("/workers")["at"]
    first, second = (shop.order(n=n) for n in (3, 30))
    shop.trace(first)
    shop.trace(second)

    def steps(**filters: Any) -> list[str]:
        page = shop.get("/runs", **{"after": since, **filters})
        assert page["total"] == len(page["runs"])
        return sorted(run["step"] for run in page["runs"])

    both = ["order", "order", "reserve", "reserve", "ship", "ship"]
    assert steps() == steps(flow="shop") == both
    assert steps(trace=first) == steps(trace=first[:20]) == ["order", "reserve", "ship"]
    assert steps(step=["order", "ship"]) == ["order", "order", "ship", "ship"]
    assert steps(status="failed") == steps(text="NO VAN") == ["ship"]
    assert steps(trigger="http") == ["order", "order"]
    assert steps(status="queued") == steps(flow="other") == steps(after=since + 1e9) == []
    assert steps(status=["failed", "queued"]) == ["ship"]
    pages, cursor = [], None
    while cursor is not None or not pages:
        more = {"cursor": cursor} if cursor else {}
        pages.append(shop.get("/runs", limit=2, after=since, **more))
        cursor = pages[-1]["next"]
    assert sorted(run["step"] for page in pages for run in page["runs"]) == both
    assert [page["total"] for page in pages] == [6, *[None] * (len(pages) - 1)]
    for path in ("/runs", "/logs"):
        assert shop.get(path, 400, cursor="nan x")["where"] == "query.cursor"


def test_lines_are_listed_by_each_filter_a_page_at_a_time(shop: Shop) -> None:
    trace = shop.order(n=4)
    order, reserve, _ = shop.trace(trace)["runs"]

    def found(**filters: Any) -> list[str]:
        return [line["message"] for line in shop.get("/logs", trace=trace, **filters)["lines"]]

    wait_until(lambda: len(found()) == 2, "both lines")
    (line,) = shop.get("/logs", run=order["id"])["lines"]
    assert (line["level"], line["step"], line["trace_id"]) == ("info", "order", trace)
    assert line["fields"] == {"n": 4, "token": "[redacted]"}
    assert found(level=["warn", "error"]) == found(run=reserve["id"]) == ["Once more"]
    assert found(text="an ORDER") == found(step="order") == ["An order"]
    assert found(flow="other") == []
    page = shop.get("/logs", trace=trace, limit=1)
    assert [one["message"] for one in page["lines"]] == ["Once more"]
    assert found(limit=1, cursor=page["next"]) == ["An order"]


def test_the_feed_tells_of_runs_and_lines_as_they_happen(shop: Shop) -> None:
    with shop.feed("runs", "logs") as feed:
        feed.until("reset")
        feed.until("reset")  # told once changes are heard
        trace = shop.order(n=5)
        over = {"order": "completed", "reserve": "completed", "ship": "failed"}
        seen: dict[str, str] = {}
        lines: set[str] = set()
        while seen != over or len(lines) < 2:  # each process tells its own in its own time
            message = feed.next()
            if message["type"] == "run" and message["run"]["trace_id"] == trace:
                seen[message["run"]["step"]] = message["run"]["status"]
            elif message["type"] == "logs":
                lines |= {line["message"] for line in message["lines"] if line["trace_id"] == trace}
        assert lines == {"An order", "Once more"}
        last = shop.get("/runs", trace=trace, step="ship")["runs"]
        assert last == [{**last[0], "flows": ["shop"], "topic": "reserved", "status": "failed"}]


def test_the_feed_tells_of_state_that_other_processes_change(shop: Shop) -> None:
    """A worker, and commands: each key as it is now, and a group that was cleared."""
    with shop.feed("state") as feed:
        shop.trace(shop.order(n=300))
        shop.trace(shop.order(n=301))  # by now changes are heard
        told = feed.until("state", group="orders", key="301")
        assert (told["change"], told["item"]["value"]) == ("set", {"n": 301})
        assert told["item"] == shop.get("/state/value", group="orders", key="301")
        assert shop.project.command("state", "delete", "orders", "301").wait(40) == 0
        assert feed.until("state", change="delete")["key"] == "301"
        assert shop.project.command("state", "delete", "orders", "--all").wait(40) == 0
        cleared = feed.until("state", change="clear")
        assert (cleared["group"], cleared["key"]) == ("orders", None)


def test_a_run_is_done_again_with_its_input_or_another(shop: Shop) -> None:
    ship = shop.trace(shop.order(n=6))["runs"][2]
    assert ship["can_rerun"]
    again = shop.post(f"/runs/{ship['id']}/rerun", {})
    (run,) = shop.trace(again["trace_id"], 1)["runs"]
    assert (run["id"], run["status"]) == (again["runs"]["ship"], "failed")
    assert (run["input"]["value"], run["topic"]) == ({"n": 6}, "reserved")
    edited = shop.post(f"/runs/{ship['id']}/rerun", {"edited": {"data": {"n": 60}}})
    (run,) = shop.trace(edited["trace_id"], 1)["runs"]
    assert (run["status"], run["output"]["value"]) == ("completed", 60)


@pytest.mark.parametrize(
    ("more", "mark", "why"),
    [
        ({"note": "x" * 20_000}, "truncated", "not kept whole"),
        ({"many": list(range(9000))}, "truncated", "not kept whole"),
        ({"card": {"token": "s3cret"}}, "masked", "secrets"),
        ({"text": '{"password": "s3cret"}'}, "masked", "secrets"),
    ],
)
def test_a_run_whose_input_is_not_whole_is_done_again_with_another_only(
    shop: Shop, more: dict[str, Any], mark: str, why: str
) -> None:
    ship = shop.trace(shop.order(n=7, **more))["runs"][2]
    assert ship["input"][mark] is True
    fault = shop.post(f"/runs/{ship['id']}/rerun", {}, 400)
    assert why in fault["error"]
    assert "edited" in fault["fix"]
    edited = shop.post(f"/runs/{ship['id']}/rerun", {"edited": {"data": {"n": 70}}})
    assert shop.trace(edited["trace_id"], 1)["status"] == "completed"


def test_a_request_is_not_done_again_as_an_event(shop: Shop) -> None:
    order = shop.trace(shop.order(n=8))["runs"][0]
    assert "Try" in shop.post(f"/runs/{order['id']}/rerun", {}, 400)["fix"]


def test_all_is_forgotten_when_it_is_cleared(shop: Shop) -> None:
    trace = shop.trace(shop.order(n=9))
    with shop.feed("runs") as feed:
        feed.next()
        assert shop.client.post("/__motia/trace/clear").status_code == 200
        feed.until("reset")
    assert shop.get("/runs")["runs"] == shop.get("/logs")["lines"] == []
    shop.get(f"/traces/{trace['id']}", 404)
    shop.get(f"/runs/{trace['runs'][0]['id']}", 404)
    assert shop.trace(shop.order(n=90))["status"] == "completed"


@pytest.mark.timeout(180)
def test_the_feed_goes_on_after_redis_was_away(
    private_redis: EmbeddedServer,
    broker_url: str,
    make_project: Callable[..., Project],
    tmp_path: Any,
) -> None:
    """What is shown is fetched anew then, for changes were missed."""
    project = Project(tmp_path / "app", f"a{secrets.token_hex(4)}", private_redis.url, broker_url)
    with closing(project), closing(Shop(project)) as shop:
        project.worker()
        with shop.feed("runs", "logs") as feed:
            assert [feed.next()["type"] for _ in range(2)] == ["reset", "reset"]
            os.kill(private_redis.pid, signal.SIGKILL)
            wait_until(lambda: shop.client.get("/__workbench/api/runs").status_code == 503, "away")
            private_redis.start()
            feed.until("reset")
            trace = shop.order(n=10)
            told = set[str]()
            while not {"order", "An order"} <= told:
                message = feed.next()
                runs, lines = [message.get("run")], message.get("lines", ())
                told |= {run["step"] for run in runs if run and run["trace_id"] == trace}
                told |= {line["message"] for line in lines if line["trace_id"] == trace}
