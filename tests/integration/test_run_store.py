"""Records in Redis: written in batches, read by what people ask for, and forgotten in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import redis
from integration.apps import wait_until

from motia_celery.errors import StoreUnavailableError
from motia_celery.model.record import LogFilter, RunFilter
from motia_celery.settings import Settings, load_settings
from motia_celery.stores.embedded import EmbeddedServer
from motia_celery.stores.record_scripts import ATTEMPTS_KEPT
from motia_celery.stores.records import Records, Written
from motia_celery.stores.runs import Runs

NOW = time.time() * 1000 - 60_000
ERROR = orjson.dumps({"type": "ValueError", "message": "No stock"})


def written(id: str, **fields: Any) -> Written:
    given = {
        "span": f"{id}-1",
        "number": 1,
        "at": NOW,
        "status": "completed",
        "started": NOW,
        "ended": None,
        "retry": None,
        "step": "pay",
        "trace": "t" * 32,
        "head": orjson.dumps({"trigger": "event", "flows": ["shop"]}),
        "input": b'{"n":1}',
        "error": b"",
        **fields,
    }
    attempt = {"number": given["number"], "worker": "w#1", "started": given["started"]}
    return Written(id=id, **{"attempt": orjson.dumps(attempt), **given})


class Store:
    """Both sides of one prefix."""

    def __init__(self, settings: Settings) -> None:
        self.records = Records(settings)
        self.runs = Runs(settings)

    def write(self, *runs: Written, lines: tuple[bytes, ...] = ()) -> int:
        return self.records.write(runs, lines, "w#1", lambda runs: b"[]")

    def ids(self, limit: int = 50, **wanted: Any) -> list[str]:
        found = [run.id for run in self.runs.page(RunFilter(**wanted), limit).runs]
        if len(found) < limit:
            assert self.runs.count(RunFilter(**wanted)) == len(found)
        return found

    def status(self, id: str) -> str:
        record = self.runs.get(id)
        assert record is not None
        return record.summary.status


@pytest.fixture
def make_store(redis_url: str, name_prefix: str) -> Iterator[Callable[..., Store]]:
    made: list[Store] = []

    def make(**settings: Any) -> Store:
        made.append(
            Store(load_settings(environ={}, redis_url=redis_url, prefix=name_prefix, **settings))
        )
        return made[-1]

    yield make
    for store in made:
        store.records.close()
        store.runs.close()


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    return make_store()


def test_runs_are_found_by_each_filter(store: Store) -> None:
    store.write(
        written("a", started=NOW),
        written("b", started=NOW + 1, step="ship", trace="u" * 32, status="failed", error=ERROR),
        written("c", started=NOW + 2, head=b'{"trigger":"http"}', status="running"),
    )
    assert store.ids() == ["c", "b", "a"]
    assert store.ids(steps=frozenset({"ship"})) == ["b"]
    assert store.ids(steps=frozenset({"ship", "pay"})) == ["c", "b", "a"]
    assert store.ids(flows=frozenset({"shop"})) == ["b", "a"]
    assert store.ids(statuses=frozenset({"failed"})) == ["b"]
    assert store.ids(statuses=frozenset({"failed", "running"})) == ["c", "b"]
    assert store.ids(trace="u" * 32) == ["b"]
    assert store.ids(text="no STOCK") == ["b"]
    assert store.ids(since_ms=NOW + 1) == ["c", "b"]
    assert store.ids(until_ms=NOW + 1) == ["b", "a"]
    assert store.ids(2) == ["c", "b"]
    assert store.runs.find("a") == ["a"]
    assert store.runs.find("*") == []
    assert store.runs.find_trace("uu") == ["u" * 32]


def test_pages_follow_each_other_without_gap_or_repetition(store: Store) -> None:
    """Also where more runs than are read at once began in one instant."""
    names = [f"r{number:04}" for number in range(1300)]
    for start in range(0, 1300, 100):
        store.write(*(written(name, started=NOW) for name in names[start : start + 100]))
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = store.runs.page(limit=300, cursor=cursor)
        found += [run.id for run in page.runs]
        if (cursor := page.cursor) is None:
            break
    assert found == names[::-1]
    assert store.runs.count(RunFilter(flows=frozenset({"shop"}))) == 1300


def test_pages_of_runs_with_their_own_starts(store: Store) -> None:
    store.write(*(written(f"r{n}", started=NOW + n / 100) for n in range(1200)))
    first = store.runs.page(limit=700)
    second = store.runs.page(limit=700, cursor=first.cursor)
    assert len(first.runs) == 700
    assert second.cursor is None
    ids = [run.id for run in (*first.runs, *second.runs)]
    assert ids == [f"r{n}" for n in reversed(range(1200))]


def test_runs_that_no_index_has_are_counted_up_to_a_bound(store: Store) -> None:
    store.write(*(written(f"r{n}", started=NOW + n, step=f"s{n % 2}") for n in range(20)))
    by_index, by_look = RunFilter(steps=frozenset({"s1"})), RunFilter(flows=frozenset({"shop"}))
    assert [store.runs.count(wanted, 10) for wanted in (by_index, by_look)] == [10, None]
    assert store.runs.count(by_look, 20) == 20
    late = RunFilter(flows=frozenset({"shop"}), since_ms=NOW + 15, until_ms=NOW + 17)
    assert store.runs.count(late, 3) == 3


@pytest.mark.parametrize("order", [1, -1])
def test_the_latest_attempt_decides_whichever_is_written_first(store: Store, order: int) -> None:
    """Two workers write when they like; their clocks may differ a little."""
    first = written("a", span="s1", at=NOW + 10, status="retrying", error=ERROR)
    second = written("a", span="s2", number=2, at=NOW + 5, status="completed")
    for one in (first, second)[::order]:
        store.write(one)
    assert store.status("a") == "completed"
    record = store.runs.get("a")
    assert record is not None
    assert [attempt.number for attempt in record.attempts] == [1, 2]
    assert {attempt.worker for attempt in record.attempts} == {"w"}
    assert record.summary.attempt == 2


def test_a_replay_of_a_failed_run_is_its_latest_attempt(store: Store) -> None:
    store.write(written("a", span="s3", number=3, at=NOW, status="failed", error=ERROR))
    store.write(written("a", span="s4", number=1, at=NOW + 5000, status="completed"))
    assert store.status("a") == "completed"
    assert store.ids(statuses=frozenset({"failed"})) == []


def test_what_becomes_of_a_run_leaves_its_attempts(store: Store) -> None:
    store.write(written("a", status="running"))
    store.write(written("a", span="", at=NOW + 1, status="cancelled", ended=NOW + 1, attempt=b""))
    record = store.runs.get("a")
    assert record is not None
    assert (record.summary.status, len(record.attempts)) == ("cancelled", 1)
    assert record.input == {"n": 1}


def test_of_many_attempts_the_first_and_the_last_ones_are_kept(store: Store) -> None:
    for number in range(1, ATTEMPTS_KEPT + 11):
        store.write(
            written("a", span=f"s{number}", number=number, started=NOW + number, at=NOW + number)
        )
    record = store.runs.get("a")
    assert record is not None
    numbers = [attempt.number for attempt in record.attempts]
    assert numbers == [1, *range(12, ATTEMPTS_KEPT + 11)]
    assert record.forgotten == 10


def test_a_run_may_be_written_twice_in_one_batch(store: Store) -> None:
    """Its attempt, and what became of it."""
    error = orjson.dumps({"type": "ValueError", "message": "No stock"})
    store.write(
        written("a", status="retrying", error=error),
        written("b"),
        written("a", span="", at=NOW + 1, status="failed", attempt=b"", error=error),
    )
    record = store.runs.get("a")
    assert record is not None
    assert (record.summary.status, len(record.attempts)) == ("failed", 1)
    assert record.input == {"n": 1}
    assert store.ids(statuses=frozenset({"failed"})) == ["a"]
    assert store.status("b") == "completed"


def test_what_became_of_a_run_may_be_written_before_its_attempt(store: Store) -> None:
    store.write(written("a", span="", at=NOW + 1, status="failed", attempt=b"", input=b"null"))
    store.write(written("a", status="retrying"))
    record = store.runs.get("a")
    assert record is not None
    assert (record.summary.status, len(record.attempts)) == ("failed", 1)
    assert record.input == {"n": 1}


def test_an_attempt_that_goes_on_is_written_again(store: Store) -> None:
    """It fails, and later it does not: the list of failed runs follows."""
    for number, status in enumerate(("running", "failed", "completed")):
        store.write(written("a", status=status, at=NOW + number, input=b'{"n":%d}' % number))
        record = store.runs.get("a")
        assert record is not None
        assert (record.summary.status, len(record.attempts)) == (status, 1)
        assert record.input == {"n": number}
        assert store.ids(statuses=frozenset({"failed"})) == ["a"] * (status == "failed")
        key = f"{store.records._prefix}:run:a"
        assert store.runs._client.type(key) == b"string"  # a hash takes twice the time


def test_a_long_error_is_shown_in_lists(store: Store) -> None:
    error = orjson.dumps({"type": "ValueError", "message": "No stock", "traceback": "x" * 9000})
    store.write(written("a", status="failed", error=error), written("b"))
    found = {run.id: run.error for run in store.runs.page().runs}
    assert found["b"] is None
    assert found["a"] is not None
    assert len(found["a"].traceback) == 9000


@pytest.mark.parametrize("step", ["pay", "s" * 500, "päy\n1 2 3"])
def test_bytes_are_counted_up_and_down(make_store: Callable[..., Store], step: str) -> None:
    """However a run was written, what it took is free once it is forgotten."""
    store = make_store(records_kept=2)
    total, left = f"{store.records._prefix}:runs:bytes", set[int]()
    for number in range(4):
        for count in range(4):
            id, at = f"r{number}-{count}", NOW + 10 * number + count
            store.write(written(id, step=step, started=at, input=b'"%s"' % (b"x" * 999)))
            for again in range(count):
                fields = {"span": [f"{id}-1", "s2", "s2"][again], "input": b"1" * again}
                store.write(written(id, step=step, started=at, at=at + again, **fields))
        store.write(*(written(f"e{number}-{n}", step=step, started=at + 1) for n in range(2)))
        left.add(int(store.runs._client.get(total) or 0))
    assert len(left) == 1
    assert 1000 < left.pop() < 3000
    store.runs.clear()
    assert {key.rpartition(":")[2] for key in everything(store)} == {"workers"}


def everything(store: Store) -> set[str]:
    client = store.runs._client
    return {key.decode() for key in client.scan_iter(f"{store.records._prefix}:*")}


def test_the_oldest_runs_are_forgotten_past_the_cap(make_store: Callable[..., Store]) -> None:
    """With all that was kept of them."""
    store = make_store(records_kept=10)
    for number in range(50):
        store.write(
            written(f"r{number}", started=NOW + number, step=f"s{number}", trace=f"t{number}")
        )
    assert store.ids() == [f"r{number}" for number in range(49, 39, -1)]
    left = {key.rpartition(":")[2] for key in everything(store)}
    assert not {f"{kind}{number}" for kind in "rst" for number in range(40)} & left


def test_failed_runs_are_forgotten_too(make_store: Callable[..., Store]) -> None:
    store = make_store(records_kept=1)
    for number in range(3):
        store.write(written(f"r{number}", started=NOW + number, status="failed"))
    failed = f"{store.records._prefix}:runs:failed"
    assert store.runs._client.zrange(failed, 0, -1) == [b"r2"]


def test_old_runs_are_forgotten_and_not_shown(make_store: Callable[..., Store]) -> None:
    store = make_store(records_kept_days=1)
    store.write(written("old", started=NOW - 2 * 86_400_000))
    store.write(written("new"))
    assert store.ids() == ["new"]
    assert store.runs.get("old") is None


def test_records_take_no_more_than_their_bytes(make_store: Callable[..., Store]) -> None:
    store = make_store(records_kept_bytes=100_000)
    large = orjson.dumps("x" * 4000)
    for number in range(100):
        store.write(written(f"r{number}", started=NOW + number, input=large))
    assert 15 < len(store.ids()) < 25
    assert store.ids(1) == ["r99"]


def test_records_leave_most_of_a_small_redis_alone(
    private_redis: EmbeddedServer, name_prefix: str
) -> None:
    """What is full refuses state and events; records take a quarter at most."""
    with redis.Redis.from_url(private_redis.url) as client:
        client.config_set("maxmemory", str(8 * 1024 * 1024))
    store = Store(load_settings(environ={}, redis_url=private_redis.url, prefix=name_prefix))
    large = orjson.dumps("x" * 8000)
    for number in range(600):
        store.write(written(f"r{number}", started=NOW + number, input=large))
    assert 100 < len(store.ids(600)) < 300


def line(msg: str, **fields: Any) -> bytes:
    given = {
        "ts": NOW,
        "level": "info",
        "step": "pay",
        "run_id": "a",
        "trace_id": "t",
        "attempt": 1,
    }
    return orjson.dumps({**given, "msg": msg, **fields})


def test_lines_are_found_by_each_filter(store: Store) -> None:
    store.write(
        lines=(
            line("one"),
            line("two", level="warn", step="ship"),
            line("three", level="error", trace_id="u", run_id="b"),
        )
    )

    def found(limit: int = 100, **wanted: Any) -> list[str]:
        return [one.msg for one in store.runs.logs(LogFilter(**wanted), limit)]

    assert found() == ["one", "two", "three"]
    assert found(2) == ["two", "three"]
    assert found(steps=frozenset({"ship"})) == ["two"]
    assert found(level="warn") == ["two", "three"]
    assert found(trace="u") == found(run="b") == ["three"]


def test_lines_are_followed_as_they_come(store: Store, make_store: Callable[..., Store]) -> None:
    store.write(lines=(line("before"),))
    writer = make_store()
    followed = store.runs.follow(LogFilter(level="warn"), wait_seconds=0.2)
    assert next(followed) is None
    writer.write(lines=(line("quiet"), line("loud", level="warn")))
    found = next(one for one in followed if one is not None)
    assert found.msg == "loud"


def test_old_lines_go(make_store: Callable[..., Store]) -> None:
    store = make_store(log_lines_kept=100)
    for start in range(0, 2000, 100):
        store.write(lines=tuple(line(str(number)) for number in range(start, start + 100)))
    found = store.runs.logs(limit=2000)
    assert found[-1].msg == "1999"
    assert len(found) < 400


def test_those_who_watch_are_told_of_each_batch(store: Store) -> None:
    client = store.runs._client
    told: list[Any] = []
    with client.pubsub() as pubsub:
        pubsub.subscribe(f"{store.records._prefix}:runs:changed")
        wait_until(lambda: pubsub.get_message(timeout=1), "the subscription")
        assert store.records.write([written("a")], [], "w#1", lambda runs: b'[{"id":"a"}]') == 1
        wait_until(lambda: told.append(pubsub.get_message(timeout=1)) or told[-1], "a message")
    assert told[-1]["data"] == b'[{"id":"a"}]'


def test_a_server_that_is_away_is_said_to_be(redis_url: str, name_prefix: str) -> None:
    runs = Runs(load_settings(environ={}, redis_url="redis://127.0.0.1:1/0"))
    for ask in (runs.page, lambda: runs.get("a"), lambda: next(runs.follow())):
        with pytest.raises(StoreUnavailableError, match="Is Redis running"):
            ask()


def test_two_processes_write_at_once(make_store: Callable[..., Store]) -> None:
    stores = [make_store(), make_store()]

    def fill(store: Store, start: int) -> None:
        for number in range(start, start + 50):
            store.write(written(f"r{number}"), lines=(line(str(number)),))

    threads = [
        threading.Thread(target=fill, args=(one, 50 * rank)) for rank, one in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(stores[0].ids(200)) == 100
    assert len(stores[0].runs.logs(limit=200)) == 100
