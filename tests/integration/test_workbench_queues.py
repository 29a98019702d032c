"""The Workbench's API, asked of a running app: events and their queues, on both brokers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from integration.apps import wait_until
from integration.workbench import Bench, running_bench
from servers import Room


@pytest.fixture(scope="module", params=["rabbitmq", "redis"])
def bench(
    request: pytest.FixtureRequest, room: Room, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """One app with a web process and a worker, for all tests of this file."""
    rabbitmq = request.getfixturevalue("rabbitmq") if request.param == "rabbitmq" else None
    with running_bench(room, tmp_path_factory.mktemp("bench"), rabbitmq) as made:
        made.project.worker()
        yield made


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
