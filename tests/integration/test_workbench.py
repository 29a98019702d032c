"""The Workbench's API, asked of a running app: what it tells, what it does, what it refuses."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from typing import Any

import httpx
import pytest
from integration.apps import Project, wait_until
from integration.workbench import Bench
from servers import GivenRabbit, RabbitNode, Room

from motia_celery.workbench.api import create_api
from motia_celery.workbench.motia import create_motia


@pytest.fixture(scope="module", params=["rabbitmq", "redis"])
def bench(
    request: pytest.FixtureRequest, room: Room, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """One app with a web process and a worker, for all tests of this file."""
    prefix = f"w{secrets.token_hex(4)}"
    rabbitmq: RabbitNode | GivenRabbit | None = None
    amqp_url = None
    if request.param == "rabbitmq":
        rabbitmq = request.getfixturevalue("rabbitmq")
        amqp_url = rabbitmq.vhost()
    with room.redis() as server:
        project = Project(tmp_path_factory.mktemp("bench"), prefix, server.url, amqp_url)
        with closing(project):
            made = Bench(project)
            with closing(made):
                project.worker()
                yield made
    if isinstance(rabbitmq, GivenRabbit):
        rabbitmq.delete_queues([plan.name for plan in project.topology.queues])
        rabbitmq.forget(prefix)
    elif rabbitmq is not None and amqp_url:
        rabbitmq.drop_vhost(amqp_url)


# --- what the app is ------------------------------------------------------------------------


def test_the_app_is_told_without_its_passwords(bench: Bench) -> None:
    app = bench.get("/app")
    assert app["counts"] == {
        "steps": 7,
        "routes": 1,
        "topics": 5,
        "schedules": 1,
        "streams": 1,
        "flows": 1,
        "problems": 0,
    }
    assert set(app["languages"]) == {"python", "typescript"}
    assert app["base_path"] == "/__workbench"
    for address in (app["broker"], app["store"]):
        assert "@" not in address or ":***@" in address


def test_the_diagram_and_each_step_of_it(bench: Bench) -> None:
    graph = bench.get("/flows")
    assert [flow["name"] for flow in graph["flows"]] == ["", "things"]
    (edge,) = graph["edges"]
    assert (edge["source"], edge["target"], edge["topic"]) == ("place", "makes", "thing.made")
    for node in graph["nodes"]:
        step = bench.get(f"/steps/{node['name']}")
        assert (step["name"], step["kind"]) == (node["name"], node["kind"])
        assert "handler" in step["source"]["text"].splitlines()[step["source"]["line"] - 1]
    assert [node["name"] for node in bench.get("/steps")] == [n["name"] for n in graph["nodes"]]


def test_a_steps_schemas_route_and_schedule(bench: Bench) -> None:
    (route,) = bench.get("/steps/place")["api"]
    assert route == bench.get("/endpoints")[0]
    assert (route["method"], route["url"], route["path_params"]) == ("POST", "/things/{id}", ["id"])
    assert route["query_params"] == [{"name": "size", "description": "How large"}]
    assert route["body_schema"]["required"] == ["n"]
    tick = bench.get("/steps/tick/tock")
    assert tick["schedules"][0]["timezone"] == "Europe/Rome"
    assert tick["queue"].endswith(tick["queue"].rpartition(".")[2])


@pytest.mark.parametrize(
    "name",
    [
        "gone",
        "..%2f..%2fetc%2fpasswd",
        "place_step.py",
        "%2fetc%2fpasswd",
        "a%00b",
        "%ff",
        "x" * 4000,
    ],
)
def test_only_steps_are_told_of(bench: Bench, name: str) -> None:
    """No path comes from the client: a name is looked up among the app's Steps."""
    fault = bench.get(f"/steps/{name}", 404)
    assert fault["error"].startswith("no Step is named")
    assert fault["fix"]


def test_a_node_of_the_projects_own_is_told_of(bench: Bench) -> None:
    """Motia's Workbench would draw it; this one says where it is."""
    file = bench.project.folder / "steps" / "typed.step.tsx"
    file.write_text("import { EventNode } from 'motia/workbench'\nexport const Node = EventNode\n")
    try:
        nodes = {node["name"]: node["component"] for node in bench.get("/flows")["nodes"]}
        assert nodes.pop("typed") == "steps/typed.step.tsx"
        assert set(nodes.values()) == {None}
        assert bench.get("/steps/typed")["component"] == "steps/typed.step.tsx"
    finally:
        file.unlink()


def test_positions_are_kept_in_motias_file(bench: Bench) -> None:
    place = {"x": 10.5, "y": -3, "source_handle": "right", "target_handle": None}
    bench.put("/positions", {"flow": "things", "positions": {"place": place, "gone": place}})
    flow = next(flow for flow in bench.get("/flows")["flows"] if flow["name"] == "things")
    assert flow["positions"] == {"place": place}
    kept = json.loads((bench.project.folder / "motia-workbench.json").read_text())
    entry = {"x": 10.5, "y": -3.0, "sourceHandlePosition": "right"}
    assert kept == [{"id": "things", "config": {"steps/place_step.py": entry}}]
    bench.put("/positions", {"flow": "things", "positions": {"place": {"x": "far", "y": 0}}}, 422)
    (bench.project.folder / "motia-workbench.json").unlink()


def test_problems_are_told_with_their_fix(bench: Bench) -> None:
    assert bench.get("/problems") == []


# --- Try ------------------------------------------------------------------------------------


def test_a_topic_is_emitted_and_its_run_is_foretold(bench: Bench) -> None:
    started = bench.post("/topics/thing.made/emit", {"data": {"token": "try"}})
    (note,) = bench.project.wait_for("makes", token="try")
    assert started["runs"] == {"makes": note["run"]}
    assert started["trace_id"] == note["trace"]
    (topic,) = [one for one in bench.get("/topics") if one["topic"] == "thing.made"]
    assert (topic["emitted_by"], topic["heard_by"]) == (["place"], ["makes"])


def test_a_cron_step_with_a_slash_in_its_name_runs_now(bench: Bench) -> None:
    assert [cron["step"] for cron in bench.get("/crons")] == ["tick/tock"]
    started = bench.post("/crons/tick/tock/run")
    (note,) = bench.project.wait_for("tick/tock")
    assert started["runs"] == {"tick/tock": note["run"]}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/topics/order.%2A/emit", {"data": 1}, 400),
        (f"/topics/{'x' * 256}/emit", {"data": 1}, 400),
        ("/topics/thing.made/emit", {"data": 1, "delay_seconds": -1}, 422),
        ("/topics/thing.made/emit", {"data": 1, "other": 1}, 422),
        ("/topics/thing.made/emit", [], 422),
        ("/crons/makes/run", None, 404),
        ("/crons/gone/run", None, 404),
    ],
)
def test_what_can_not_be_tried_says_why(bench: Bench, path: str, body: Any, status: int) -> None:
    assert bench.post(path, body, status)["error"]


def test_data_that_can_not_travel_is_refused(bench: Bench) -> None:
    headers = {"content-type": "application/json"}
    for body in (b'{"data": "\\ud800"}', b'{"data": ' + b"[" * 400 + b"]" * 400 + b"}"):
        fault = bench.ask("POST", "/topics/kept/emit", 400, content=body, headers=headers)
        assert "JSON" in fault["error"]


# --- dead letters ---------------------------------------------------------------------------


def dead(bench: Bench, token: str) -> dict[str, Any]:
    """A dead letter of the Step `fails`."""
    bench.post("/topics/fails/emit", {"data": {"token": token, "fails": {"fails": 1}}})

    def found() -> dict[str, Any] | None:
        letters = bench.get("/dead-letters", steps="fails")["letters"]
        return next((letter for letter in letters if token in letter["preview"]), None)

    return dict(wait_until(found, "the dead letter"))


def test_a_dead_letter_is_shown_and_replayed_with_other_data(bench: Bench) -> None:
    letter = dead(bench, "edit-me")
    assert (letter["reason"], letter["step"], letter["attempts"]) == ("failed", "fails", 1)
    assert letter["error"]["message"] == "fails fails attempt 1"
    (shown,) = bench.get(f"/dead-letters/{letter['id']}")
    assert shown["data"] == {"token": "edit-me", "fails": {"fails": 1}}
    choice = {"ids": [letter["id"]]}
    dry = bench.post("/dead-letters/replay", {"choice": choice, "dry_run": True})
    assert dry == {"replayed": 1, "stay": [], "dry_run": True}
    edited = {"choice": choice, "edited": {"data": {"token": "edited"}}}
    assert bench.post("/dead-letters/replay", edited)["replayed"] == 1
    (note,) = bench.project.wait_for("fails", token="edited")
    assert note["run"] == letter["id"]
    assert bench.get(f"/dead-letters/{letter['id']}", 404)["error"]


def test_dead_letters_are_filtered_and_dropped(bench: Bench) -> None:
    letter, other = dead(bench, "drop-me"), dead(bench, "keep-me")
    assert bench.get("/dead-letters", steps="makes")["letters"] == []
    listed = bench.get("/dead-letters", error="FAILS ATTEMPT", reason="failed", limit=1)
    assert (len(listed["letters"]), listed["matching"] >= 2) == (1, True)
    assert bench.post("/dead-letters/drop", {"choice": {"ids": [letter["id"]]}}) == {"dropped": 1}
    left = bench.get("/dead-letters", steps="fails")["letters"]
    assert [one["id"] for one in left] == [other["id"]]
    assert bench.post("/dead-letters/drop", {"choice": {}, "all": True}) == {"dropped": 1}


def test_nothing_chosen_is_not_everything(bench: Bench) -> None:
    for action in ("replay", "drop"):
        assert bench.post(f"/dead-letters/{action}", {"choice": {}}, 400)["fix"]
    for token in ("one", "two"):
        dead(bench, token)
    two = {"choice": {"steps": ["fails"]}, "edited": {"data": 1}}
    assert "an edited payload is for one" in bench.post("/dead-letters/replay", two, 400)["error"]
    assert bench.post("/dead-letters/drop", {"choice": {}, "all": True}) == {"dropped": 2}
    bench.get("/dead-letters/..%2f..", 404)
    bench.get("/dead-letters", 422, reason="no reason")
    bench.get("/dead-letters", 422, limit=0)


# --- state and streams ----------------------------------------------------------------------

ODD_NAMES = ["a/b", "..", "ключ", "a:b", " ", "x" * 1000, "%00", "'; DROP", "\x00"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_state_of_any_name_is_set_found_and_deleted(bench: Bench, name: str) -> None:
    write = {"group": name, "key": name, "value": {"needle": name}}
    assert bench.put("/state/value", write)["value"] == {"needle": name}
    item = bench.get("/state/value", group=name, key=name)
    assert (item["type"], item["ttl_seconds"]) == ("object", None)
    assert name in bench.get("/state/groups", limit=1000)["groups"]
    assert bench.get("/state/items", group=name)["items"] == [item]
    assert bench.get("/state/search", text=name.strip()[:500] or "needle")["items"]
    assert bench.post("/state/delete", {"keys": [{"group": name, "key": name}]}) == {"deleted": 1}
    bench.get("/state/value", 404, group=name, key=name)


def test_state_is_paged_searched_and_shortened(bench: Bench) -> None:
    for number in range(30):
        bench.put("/state/value", {"group": "many", "key": f"{number:02}", "value": {"n": number}})
    bench.put("/state/value", {"group": "many", "key": "large", "value": "x" * 20_000})
    page = bench.get("/state/items", group="many", offset=10, limit=5)
    assert [item["key"] for item in page["items"]] == ["10", "11", "12", "13", "14"]
    assert page["total"] == 31
    found = bench.get("/state/items", group="many", text='"N":7')["items"]
    assert [item["key"] for item in found] == ["07"]
    (large,) = bench.get("/state/items", group="many", text="large")["items"]
    assert (large["value"], large["truncated"], large["size_bytes"]) == (None, True, 20_002)
    assert len(bench.get("/state/value", group="many", key="large")["value"]) == 20_000
    assert bench.get("/state/search", text="large")["items"][0]["group"] == "many"
    assert bench.post("/state/delete", {"groups": ["many"]}) == {"deleted": 1}
    assert bench.get("/state/items", group="many")["total"] == 0


def test_state_with_a_life_and_one_that_is_there(bench: Bench) -> None:
    write = {"group": "lives", "key": "k", "value": 1, "ttl_seconds": 600}
    bench.put("/state/value", write)
    assert 590 < bench.get("/state/value", group="lives", key="k")["ttl_seconds"] <= 600
    fault = bench.put("/state/value", {**write, "create": True}, 400)
    assert fault["error"] == "this key is there already."
    bench.put("/state/value", {**write, "ttl_seconds": 0}, 422)
    bench.put("/state/value", {**write, "group": 1}, 422)
    bench.post("/state/delete", {"groups": ["lives"]})


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud800"', "[" * 400 + "]" * 400, "9" * 400])
def test_a_value_that_is_no_json_of_state_is_refused(bench: Bench, value: str) -> None:
    body = f'{{"group": "g", "key": "odd", "value": {value}}}'
    headers = {"content-type": "application/json"}
    fault = bench.ask("PUT", "/state/value", 400, content=body, headers=headers)
    assert fault["error"]
    bench.get("/state/value", 404, group="g", key="odd")


def test_a_streams_items_are_listed_set_and_deleted(bench: Bench) -> None:
    (stream,) = bench.get("/streams")
    assert (stream["name"], stream["item_schema"]["type"]) == ("things", "object")
    place = {"stream": "things", "group": "a/b"}
    for id in ("1", "2"):
        written = bench.put("/streams/item", {**place, "id": id, "data": {"n": int(id)}})
        assert written["data"] == {"n": int(id), "id": id}
    assert bench.get("/streams/groups", stream="things")["groups"] == ["a/b"]
    items = bench.get("/streams/items", **place)
    assert [item["data"]["n"] for item in items["items"]] == [1, 2]
    assert bench.get("/streams/items", **place, text='"n":2')["total"] == 1
    assert bench.get("/streams/item", **place, id="1")["data"]["n"] == 1
    assert bench.post("/streams/delete", {**place, "ids": ["1", "gone"]}) == {"deleted": 1}
    bench.get("/streams/item", 404, **place, id="1")
    assert bench.post("/streams/delete", place) == {"deleted": 1}
    assert bench.get("/streams/items", **place)["total"] == 0


def test_a_stream_that_is_not_declared_is_404(bench: Bench) -> None:
    place = {"stream": "gone", "group": "g"}
    bench.get("/streams/groups", 404, stream="gone")
    bench.get("/streams/items", 404, **place)
    bench.get("/streams/item", 404, **place, id="1")
    bench.put("/streams/item", {**place, "id": "1", "data": {}}, 404)
    bench.post("/streams/delete", place, 404)
    bench.put("/streams/item", {"stream": "things", "group": "g", "id": "1", "data": [1]}, 422)


# --- queues, workers, schedules, controls ---------------------------------------------------


def test_workers_tell_their_pool_queues_and_runs(bench: Bench) -> None:
    bench.post("/topics/thing.made/emit", {"data": {"token": "long", "sleep": 8}})
    bench.project.wait_for("makes", what="begun", token="long")
    (worker,) = bench.get("/workers")["workers"]
    assert (worker["pool"], worker["concurrency"]) == ("async", 100)
    assert {"makes", "fails", "tick/tock"} <= set(worker["steps"])
    assert "makes" in [run["step"] for run in worker["runs"]]
    assert worker["running"] == len(worker["runs"])
    started = next(run["started_at"] for run in worker["runs"] if run["step"] == "makes")
    assert abs(started - bench.get("/workers")["at"]) < 60_000


def test_ten_pages_at_once_cost_the_workers_one_question(bench: Bench) -> None:
    """All get the same answer, of the same moment."""
    with ThreadPoolExecutor(10) as pages:
        found = list(pages.map(lambda _: bench.get("/workers")["workers"], range(10)))
    assert len({worker["uptime_seconds"] for (worker,) in found}) <= 2


def test_a_paused_steps_events_wait_and_are_counted(bench: Bench) -> None:
    assert bench.post("/steps/paused/pause") == {"step": "paused", "paused": True, "changed": True}
    assert bench.post("/steps/paused/pause")["changed"] is False
    assert bench.get("/steps/paused")["paused"]

    def consumed() -> bool:
        return any("paused" in worker["steps"] for worker in bench.get("/workers")["workers"])

    wait_until(lambda: not consumed(), "the worker leaves the queue", pause=0.3)
    for _ in range(3):
        bench.post("/topics/paused/emit", {"data": {"token": "waits"}})

    def queue() -> dict[str, Any]:
        queues = bench.get("/queues")["queues"]
        return dict(next(one for one in queues if one["step"] == "paused"))

    wait_until(lambda: queue()["depth"] == 3, "three messages")
    assert queue()["paused"]
    assert bench.post("/steps/paused/cancel")["dropped"] == 3
    wait_until(lambda: queue()["depth"] == 0, "none")
    assert bench.post("/steps/paused/resume")["changed"] is True
    bench.post("/topics/paused/emit", {"data": {"token": "goes on"}})
    # What was called off is of a second that is over.
    wait_until(
        lambda: (
            bench.post("/topics/paused/emit", {"data": {"token": "goes on"}})
            and bench.project.notes("paused", "done", "goes on")
        ),
        "it goes on",
        pause=0.5,
    )


def queue_of(bench: Bench, step: str) -> dict[str, Any]:
    """What is told of a Step's queue."""
    return dict(next(one for one in bench.get("/queues")["queues"] if one["step"] == step))


def test_how_fast_a_queue_fills_and_empties_and_how_long_its_oldest_waits(bench: Bench) -> None:
    """Without looking into the queue; on both brokers the same."""
    bench.post("/steps/kept/pause")
    wait_until(
        lambda: all("kept" not in one["steps"] for one in bench.get("/workers")["workers"]),
        "the worker leaves the queue",
        pause=0.3,
    )
    assert queue_of(bench, "kept")["oldest_ms"] == 0
    before = time.time()
    bench.post("/topics/kept/emit", {"data": {"token": "first"}})
    after = time.time()
    wait_until(lambda: queue_of(bench, "kept")["depth"] == 1, "the first one")
    wait_until(lambda: queue_of(bench, "kept")["sent_per_second"], "it is counted")
    wait_until(lambda: time.time() > after + 2, "it has waited")
    for _ in range(4):
        bench.post("/topics/kept/emit", {"data": {"token": "later"}})
    wait_until(lambda: queue_of(bench, "kept")["depth"] == 5, "all of them")
    wait_until(lambda: queue_of(bench, "kept")["sent_per_second"] > 0.1, "they are counted")
    queue, now = queue_of(bench, "kept"), time.time()
    assert not queue["oldest_is_bound"]
    # Messages carry whole seconds, and what is told may be a second old.
    assert now - after - 1.5 <= queue["oldest_ms"] / 1000 <= now - before + 1.5
    assert queue["begun_per_second"] == 0
    bench.post("/steps/kept/resume")
    wait_until(lambda: queue_of(bench, "kept")["begun_per_second"] > 0, "they begin")
    assert queue_of(bench, "kept")["oldest_ms"] == 0


def test_what_another_service_published_waits_no_longer_than_that(bench: Bench) -> None:
    """Nobody counted it; but it came after the queue was last seen empty."""
    bench.post("/steps/kept/pause")
    wait_until(
        lambda: all("kept" not in one["steps"] for one in bench.get("/workers")["workers"]),
        "the worker leaves the queue",
        pause=0.3,
    )
    wait_until(lambda: queue_of(bench, "kept")["depth"] == 0, "an empty queue")
    before = time.time()
    bench.project.emit("kept", {"token": "foreign"})
    wait_until(lambda: queue_of(bench, "kept")["depth"] == 1, "its event")
    queue = queue_of(bench, "kept")
    assert queue["oldest_is_bound"] is bench.project.settings().uses_rabbitmq
    assert queue["oldest_ms"] / 1000 <= time.time() - before + 3
    bench.post("/steps/kept/resume")
    bench.project.wait_for("kept", token="foreign")


def test_what_has_no_queue_can_not_be_paused(bench: Bench) -> None:
    for name in ("place", "gone"):
        for action in ("pause", "cancel"):
            assert bench.post(f"/steps/{name}/{action}", status=404)["fix"]


def test_a_run_is_called_off(bench: Bench) -> None:
    started = bench.post("/topics/thing.made/emit", {"data": {"token": "cut", "sleep": 60}})
    bench.project.wait_for("makes", what="begun", token="cut")
    bench.post(f"/runs/{started['runs']['makes']}/cancel")

    def running() -> list[str]:
        (worker,) = bench.get("/workers")["workers"]
        return [run["id"] for run in worker["runs"]]

    wait_until(lambda: started["runs"]["makes"] not in running(), "it was cut", pause=0.3)
    assert bench.project.notes("makes", "done", "cut") == []
    assert bench.post(f"/traces/{started['trace_id']}/cancel") == {"dropped": 0}


def test_schedules_tell_their_last_and_next_times(bench: Bench) -> None:
    (schedule,) = bench.get("/schedules")
    assert (schedule["timezone"], schedule["last_at"]) == ("Europe/Rome", None)
    coming = schedule["next_at"]
    assert [later - sooner for sooner, later in pairwise(coming)] == [1000] * 4
    beat = bench.project.command("beat")
    last = wait_until(lambda: bench.get("/schedules")[0]["last_at"], "a tick was sent", pause=0.3)
    assert last % 1000 == 0
    beat.terminate()


# --- runs; more of them in test_workbench_runs.py -------------------------------------------


def test_runs_that_are_not_known_are_404(bench: Bench) -> None:
    assert bench.get("/app")["has_records"]
    for path in ("/runs/x", "/traces/x", "/traces/*"):
        assert bench.get(path, 404)["error"]
    assert bench.post("/runs/x/rerun", {}, 404)["error"]


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"status": "lost"}, {"after": "x"}, {"other": 1}, {"text": "x" * 501}]
)
def test_a_filter_that_is_none_is_refused(bench: Bench, params: dict[str, Any]) -> None:
    assert bench.get("/runs", 422, **params)["where"].startswith("query.")


# --- the live feed --------------------------------------------------------------------------


def test_the_feed_tells_of_queues_streams_state_and_dead_letters(bench: Bench) -> None:
    with bench.feed() as feed:
        assert feed.next()["type"] == "reset"
        queues = feed.until("queues")["queues"]
        assert {queue["step"] for queue in queues} >= {"makes", "tick/tock"}
        assert feed.until("dead_letters")["count"] == 0
        state = bench.put("/state/value", {"group": "live", "key": "k", "value": 1})
        told = feed.until("state")
        assert (told["key"], told["change"], told["item"]) == ("k", "set", state)
        item = {"stream": "things", "group": "live", "id": "1", "data": {"n": 1}}
        bench.put("/streams/item", item)
        change = feed.until("stream", change="create")
        assert (change["group"], change["data"]["n"]) == ("live", 1)
        dead(bench, "counted")
        assert feed.until("dead_letters")["count"] == 1
        bench.post("/dead-letters/drop", {"choice": {}, "all": True})
        assert feed.until("dead_letters")["count"] == 0


def test_one_who_comes_back_to_the_feed_misses_nothing(bench: Bench) -> None:
    with bench.feed("state") as feed:
        # Another one is told once changes are heard, if they were not yet.
        assert feed.next()["type"] == "reset"
        wait_until(
            lambda: (
                bench.put("/state/value", {"group": "live", "key": "one", "value": 1})
                and feed.next()["type"] == "state"
            ),
            "a change",
        )
        bench.put("/state/value", {"group": "live", "key": "one", "value": 1})
        assert feed.until("state")["key"] == "one"
    bench.put("/state/value", {"group": "live", "key": "two", "value": 1})
    with bench.feed("state", last=feed.last) as again:
        assert again.until("state", key="two")["change"] == "set"
    with bench.feed("state", last="another-7") as lost:
        assert lost.next()["type"] == "reset"
    assert bench.get("/feed", 422, want="all")["where"].startswith("query.want")


# --- errors, and hostile requests -----------------------------------------------------------


def test_errors_are_json_with_a_text_and_never_a_traceback(bench: Bench) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("DELETE", "/app", 405),
        ("POST", "/runs", 405),
        ("GET", "/state/items", 422),
    ):
        fault = bench.ask(method, path, status)
        assert fault.keys() == {"error", "fix", "where"}
        assert "Traceback" not in json.dumps(fault)


def test_a_huge_body_is_not_read(bench: Bench) -> None:
    huge = json.dumps({"group": "g", "key": "k", "value": "x" * (1 << 20)})
    headers = {"content-type": "application/json"}
    fault = bench.ask("PUT", "/state/value", 413, content=huge, headers=headers)
    assert fault["error"] == "The body is too large."
    parts = (huge[:9000].encode() for _ in range(1000))
    fault = bench.ask("PUT", "/state/value", 413, content=parts, headers=headers)
    assert fault["error"] == "The body is too large."
    motia = bench.client.post("/__motia/state", content=huge, headers=headers)
    assert motia.status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(bench: Bench, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    for path in ("/state/delete", "/topics/kept/emit", "/dead-letters/drop"):
        answer = bench.client.post(f"/__workbench/api{path}", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        assert answer.json()["error"]


def test_other_pages_are_kept_out(bench: Bench) -> None:
    """A page of another site that a developer visits must not reach the Workbench."""
    for path in ("/__workbench/api/app", "/__workbench/", "/__motia", "/__motia/streams/all"):
        for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
            assert bench.client.get(path, headers=headers).status_code == 403
    answer = bench.client.post(
        "/__workbench/api/dead-letters/drop",
        json={"choice": {}, "all": True},
        headers={"origin": "null"},
    )
    assert answer.status_code == 403


def test_who_has_no_token_sees_nothing(bench: Bench) -> None:
    for path in ("/__workbench/api/app", "/__workbench/", "/__motia", "/__motia/streams/all"):
        address = f"http://127.0.0.1:{bench.port}{path}"
        assert httpx.get(address).status_code == 401
        assert httpx.get(address, headers={"authorization": "Bearer nonsense"}).status_code == 401


def every_endpoint() -> Iterator[tuple[str, str]]:
    """The method and path of all that the Workbench answers, Motia's endpoints too."""
    for base, app in (("/__workbench/api", create_api()), ("/__motia", create_motia())):
        for path, methods in app.openapi()["paths"].items():
            for method in methods:
                yield method.upper(), base + re.sub(r"\{[^}]*\}", "x", path)


def test_no_endpoint_answers_without_the_token_or_to_another_page(bench: Bench) -> None:
    address = f"http://127.0.0.1:{bench.port}"
    found = {*every_endpoint()}
    assert {("POST", "/__motia/bullmq/dlq/x/clear"), ("GET", "/__workbench/api/feed")} <= found
    with httpx.Client(base_url=address) as stranger:
        for method, path in found:
            assert stranger.request(method, path).status_code == 401, (method, path)
            evil = {"origin": "https://evil.example"}
            assert bench.client.request(method, path, headers=evil).status_code == 403, path


# --- Motia's own endpoints ------------------------------------------------------------------


def test_motias_facts_and_steps(bench: Bench) -> None:
    facts = bench.client.get("/__motia").json()
    assert facts.keys() == {"version", "isDev", "isTutorialDisabled", "workbenchBase"}
    step = bench.get("/steps/typed")
    answer = bench.client.get(f"/__motia/step/{step['id']}").json()
    assert answer["content"] == step["source"]["text"]
    assert (answer["id"], answer["features"]) == (step["id"], [])
    gone = bench.client.get("/__motia/step/..%2f..%2fetc%2fpasswd")
    assert gone.status_code == 404
    assert "error" in bench.client.get("/__motia/step/gone").json()


def test_motias_state(bench: Bench) -> None:
    client = bench.client
    entry = {"key": "a:b", "groupId": "m:g", "value": {"name": "ada"}}
    answer = client.post("/__motia/state", json=entry)
    assert (answer.status_code, answer.json()) == (200, entry)
    client.post("/__motia/state", json={"key": "n", "groupId": "m:g", "value": 7})
    found = client.get("/__motia/state", params={"groupId": "m:g"}).json()
    assert found == [
        {"groupId": "m:g", "key": "a:b", "type": "object", "value": {"name": "ada"}},
        {"groupId": "m:g", "key": "n", "type": "number", "value": 7},
    ]
    filters = json.dumps([{"valueKey": "name", "operation": "startsWith", "value": "a"}])
    filtered = client.get("/__motia/state", params={"filter": filters}).json()
    assert [item["key"] for item in filtered if item["groupId"] == "m:g"] == ["a:b"]
    assert client.get("/__motia/state", params={"filter": "{"}).status_code == 400
    deleted = client.post("/__motia/state/delete", json={"ids": ["m:g:a:b", "m:g:n", "gone", ":"]})
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get("/__motia/state", params={"groupId": "m:g"}).json() == []
    assert client.post("/__motia/state", json={"key": 1}).json().keys() == {"error"}


def test_motias_streams(bench: Bench) -> None:
    def get(path: str) -> httpx.Response:
        return bench.client.get(f"/__motia/streams{path}")

    bench.put("/streams/item", {"stream": "things", "group": "m", "id": "1", "data": {"n": 1}})
    known = {"id": "things", "name": "things", "hidden": False}
    known["filePath"] = "steps/things_stream.py"
    assert get("").json() == get("/all").json() == {"streams": [known]}
    assert get("/details/things").json()["schema"]["type"] == "object"
    items = [{"n": 1, "id": "1"}]
    group = {"streamName": "things", "groupId": "m", "items": items, "count": 1}
    assert get("/group/things/m").json() == group
    item = {"streamName": "things", "groupId": "m", "itemId": "1", "data": items[0]}
    assert get("/item/things/m/1").json() == item
    assert get("/item/things/m/2").json()["data"] is None
    for path in ("/details/gone", "/group/gone/m", "/item/gone/m/1"):
        assert get(path).status_code == 404
        assert get(path).json() == {"error": "Stream 'gone' not found"}


def test_motias_positions_and_traces(bench: Bench) -> None:
    config = {"id": "things", "config": {"steps/place_step.py": {"x": 1, "y": 2}}}
    answer = bench.client.post("/__motia/flows/things/config", json=config)
    assert answer.json() == {"message": "Flow config saved successfully"}
    flow = next(flow for flow in bench.get("/flows")["flows"] if flow["name"] == "things")
    assert flow["positions"]["place"]["x"] == 1
    (bench.project.folder / "motia-workbench.json").unlink()
    assert bench.client.post("/__motia/flows/things/config", json=[1]).status_code == 400
    assert bench.client.post("/__motia/trace/clear").json() == {"message": "Traces cleared"}
