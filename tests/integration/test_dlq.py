"""``motia-celery dlq``: dead letters are looked at, replayed and dropped, on both brokers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis
from integration.apps import Project, wait_until
from integration.letters import bury, dead_letters, dlq, waiting

from motia_celery.broker import letter_queue
from motia_celery.broker.dead_letters import DeadLetters
from motia_celery.errors import BrokerUnavailableError, DeadLetterError
from motia_celery.model.dead_letter import LetterFilter
from motia_celery.model.run import RunError


@pytest.fixture
def steps(project: Project) -> Project:
    """Two Steps of which no worker runs."""
    project.step("pay", ["order.paid"], retries=0)
    project.step("ship", ["order.shipped"], retries=0)
    return project


@pytest.fixture
def listed(make_project: Callable[..., Project]) -> Project:
    """The same on Redis alone, for what no broker makes a difference to."""
    project = make_project(None)
    project.step("pay", ["order.paid"], retries=0)
    project.step("ship", ["order.shipped"], retries=0)
    return project


# Looking


def test_a_list_of_nothing(steps: Project) -> None:
    """Also where nothing was ever declared."""
    done = dlq(steps, "list")
    assert (done.code, done.output) == (0, "0; 0 dead letters in all.\n")
    assert dlq(steps, "list", "--json").output == ""


def test_the_list_is_a_table(steps: Project) -> None:
    ids = bury(steps, "pay", 3)
    done = dlq(steps, "list", "--limit", "2")
    assert done.code == 0
    assert ids[0][:8] in done.output
    assert ids[2][:8] not in done.output
    for text in ("pay", "order.paid", "failed", "ValueError: no more lamps"):
        assert text in done.output
    assert "2 of 3 that match; 3 dead letters in all." in done.output
    assert "\x1b" not in done.output


def test_the_list_fits_a_narrow_terminal(listed: Project) -> None:
    (identity,) = bury(listed, "pay", error=RunError("ValueError", "x" * 900))
    lines = dlq(listed, "list", COLUMNS="70").output.splitlines()
    assert max(map(len, lines)) <= 70
    assert len([line for line in lines if identity[:8] in line]) == 1


def test_the_list_as_json_tells_everything(steps: Project) -> None:
    """One object in each line."""
    (identity,) = bury(steps, "pay")
    (letter,) = dlq(steps, "list", "--json").letters
    assert letter["headers"].pop("traceparent").split("-")[1] == letter.pop("trace_id")
    died_at = datetime.fromisoformat(letter.pop("died_at"))
    assert abs(datetime.now(UTC) - died_at) < timedelta(minutes=2)
    event_id = letter.pop("event_id")
    assert event_id
    assert letter.pop("headers")["motia-run-id"] == identity
    assert letter == {
        "id": identity,
        "reason": "failed",
        "step": "pay",
        "queue": steps.queue("pay"),
        "topic": "order.paid",
        "error": {
            "type": "ValueError",
            "message": "no more lamps",
            "where": "steps/pay_step.py:7",
            "traceback": "Traceback: line 7\n",
        },
        "attempts": 2,
        "content_type": "application/json",
        "size_bytes": len(b'{"token":"pay-0","n":0}'),
        "data": {"token": "pay-0", "n": 0},
    }


def test_filters_choose(listed: Project) -> None:
    paid = bury(listed, "pay", 2)
    shipped = bury(listed, "ship", 1, RunError("KeyError", "'lamp'"))
    letters = dead_letters(listed)
    trace, now, hour = letters.show(paid[0])[0].trace_id, datetime.now(UTC), timedelta(hours=1)
    chosen = [
        (LetterFilter(), paid + shipped),
        (LetterFilter(steps=frozenset({"ship"})), shipped),
        (LetterFilter(steps=frozenset({"ship", "pay"})), paid + shipped),
        (LetterFilter(topic="order.*"), paid + shipped),
        (LetterFilter(topic="order.paid"), paid),
        (LetterFilter(error="keyerror: 'LAMP"), shipped),
        (LetterFilter(reason="failed"), paid + shipped),
        (LetterFilter(reason="poison"), []),
        (LetterFilter(ids=frozenset(paid[1:])), paid[1:]),
        (LetterFilter(died_after=now - hour), paid + shipped),
        (LetterFilter(died_before=now - hour), []),
        (LetterFilter(died_before=now + hour, steps=frozenset({"pay"})), paid),
        (LetterFilter(trace=trace[:20]), paid[:1]),
    ]
    for wanted, ids in chosen:
        assert [letter.id for letter in letters.each(wanted)] == ids, wanted


def test_options_are_filters(listed: Project) -> None:
    paid = bury(listed, "pay", 2)
    bury(listed, "ship")
    options = (
        "--step pay --step other --topic order.# --error lamps --reason failed --newer-than 1h"
    )
    found = dlq(listed, "list", "--json", "--id", paid[1][:12], *options.split())
    assert [letter["id"] for letter in found.letters] == [paid[1]]
    assert dlq(listed, "list", "--json", "--older-than=1h", "--trace=x").output == ""


def test_looking_takes_nothing_and_keeps_the_order(steps: Project) -> None:
    """Through several windows, to the end or not, and by a client that just goes away."""
    ids = bury(steps, "pay", 450)
    assert waiting(steps) == ids
    some = dead_letters(steps).each()
    assert [next(some).id for _ in range(230)] == ids[:230]
    some.close()
    assert waiting(steps) == ids
    dlq(steps, "list", "--limit", "1")
    assert [letter["id"] for letter in dlq(steps, "list", "--json").letters] == ids


def test_each_window_holds_few(on_rabbitmq: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker sends no more than a window before they were read."""
    project = on_rabbitmq
    project.step("pay", ["paid"])
    ids = bury(project, "pay", 200)
    monkeypatch.setattr(letter_queue, "WINDOW", 10)
    with letter_queue.open_letters(project.settings(), ()) as letters:
        reading = letters.read()
        next(reading)
        size = -(-200 // 31)
        wait_until(
            lambda: letters.count() == 200 - max(10, size),
            "ten letters held",
        )
    assert waiting(project) == ids


def test_two_readers_each_see_all(steps: Project) -> None:
    """On RabbitMQ the second waits for its turn."""
    ids = bury(steps, "pay", 300)
    seen: list[list[str]] = []
    readers = [threading.Thread(target=lambda: seen.append(waiting(steps))) for _ in range(3)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(60)
    assert seen == [ids] * 3


def test_a_turn_that_does_not_come_is_an_error(on_rabbitmq: Project) -> None:
    project = on_rabbitmq
    project.step("pay", ["paid"])
    bury(project, "pay", 2)
    first = dead_letters(project).each()
    next(first)
    with pytest.raises(DeadLetterError, match="another command is reading"):
        DeadLetters(project.settings(), turn_seconds=0.3).list()
    first.close()
    assert DeadLetters(project.settings(), turn_seconds=5).list().total == 2


def test_new_letters_do_not_make_a_list_endless(steps: Project) -> None:
    """It shows those that were there when it began."""
    ids = bury(steps, "pay", 5)
    listing = dead_letters(steps).each()
    first = next(listing)
    bury(steps, "pay", 5)
    assert [first.id, *(letter.id for letter in listing)] == ids
    assert len(waiting(steps)) == 10


def test_show_tells_everything(listed: Project) -> None:
    first, *_ = bury(listed, "pay", 3)
    done = dlq(listed, "show", first[:10])
    assert done.code == 0
    for text in (
        first,
        "ValueError: no more lamps",
        "steps/pay_step.py:7",
        '{\n  "token": "pay-0",\n  "n": 0\n}',
        "Traceback: line 7",
        listed.queue("pay"),
    ):
        assert text in done.output
    (letter,) = dlq(listed, "show", first, "--json").letters
    assert letter["data"] == {"token": "pay-0", "n": 0}


def test_what_a_letter_holds_does_not_reach_the_terminal(listed: Project) -> None:
    """Escape codes are written out."""
    error = RunError("Evil\x1b[2J", "\x1b]0;title\x07 \x9b31m", "a\x1b.py:1", "\x1b[1A")
    (identity,) = bury(listed, "pay", error=error)
    for arguments in (("list",), ("show", identity)):
        output = dlq(listed, *arguments).output
        assert not set(output) & {"\x1b", "\x9b", "\x07"}, arguments
        assert "\\x1b[2J" in output


def test_an_unknown_id_is_an_error(listed: Project) -> None:
    bury(listed, "pay", 2)
    done = dlq(listed, "replay", "nope")
    assert done.code == 1
    assert "there is no dead letter 'nope'" in done.errors
    with pytest.raises(DeadLetterError):
        dead_letters(listed).show("nope")
    assert len(waiting(listed)) == 2


def test_the_beginning_of_several_ids_is_an_error(listed: Project) -> None:
    ids = bury(listed, "pay", 17)  # of 17 ids two begin with the same of 16 digits
    twice = next(i[0] for i in ids if sum(other[0] == i[0] for other in ids) > 1)
    done = dlq(listed, "drop", "--yes", twice)
    assert done.code == 1
    assert "dead letters begin like that" in done.errors
    assert len(waiting(listed)) == 17


# Replaying


def test_a_replay_runs_the_step_that_failed(steps: Project) -> None:
    """It alone; the same event and run, attempts from 1."""
    steps.step("also", ["order.paid"])
    first, second = bury(steps, "pay", 2)
    steps.worker()
    done = dlq(steps, "replay", first)
    assert (done.code, done.output) == (0, "Replayed 1 dead letter.\n")
    (run,) = steps.wait_for("pay")
    assert (run["run"], run["attempt"], run["topic"]) == (first, 1, "order.paid")
    assert run["data"] == {"token": "pay-0", "n": 0}
    assert waiting(steps) == [second]
    assert dlq(steps, "replay", "--all").code == 0
    steps.wait_for("pay", 2)
    assert waiting(steps) == []
    assert steps.notes("also") == []


def test_a_replay_keeps_event_and_trace(steps: Project) -> None:
    """A letter that dies again is the same letter."""
    data = {"token": "t", "fails": {"pay": 99}}
    steps.worker()
    event = steps.emit("order.paid", data)
    (before,) = wait_until(lambda: list(dead_letters(steps).each()), "a dead letter", 60)
    assert dlq(steps, "replay", "--step", "pay").code == 0
    (after,) = wait_until(
        lambda: [x for x in dead_letters(steps).each() if x.died_at > before.died_at],
        "the same dead letter",
    )
    assert (before.event_id, before.trace_id) == (event.id, event.trace.trace_id)
    same = ("id", "event_id", "trace_id", "topic", "body", "attempts", "step")
    assert [getattr(before, name) for name in same] == [getattr(after, name) for name in same]
    assert "motia-error-type" not in dlq(steps, "list", "--json").letters[0]["headers"]
    assert after.error.where.startswith("acts.py:")
    assert "ValueError: pay fails attempt 1" in after.error.traceback


def test_a_replay_of_all_ends_though_they_fail_again_at_once(steps: Project) -> None:
    """Only what was there at the start is replayed."""
    for number in range(150):
        steps.emit("order.paid", {"token": str(number), "fails": {"pay": 99}})
    steps.worker()
    wait_until(lambda: len(waiting(steps)) == 150, "150 dead letters", 60, pause=0.3)
    done = dlq(steps, "replay", "--all")
    assert (done.code, done.output) == (0, "Replayed 150 dead letters.\n")
    steps.wait_for("pay", 300, "begun", seconds=60)
    wait_until(lambda: len(waiting(steps)) == 150, "150 dead letters again", 60, pause=0.3)
    assert len(steps.notes("pay", "begun")) == 300


def test_a_dry_run_sends_nothing(steps: Project) -> None:
    ids = bury(steps, "pay", 3)
    done = dlq(steps, "replay", "--step", "pay", "--dry-run")
    assert (done.code, done.output) == (0, "Would replay 3 dead letters.\n")
    assert waiting(steps) == ids
    assert steps.depth(steps.queue("pay")) == 0


def test_what_is_left_keeps_its_order(steps: Project) -> None:
    """A replay of every other letter, through several windows."""
    paid, shipped = [], []
    for _ in range(30):
        paid += bury(steps, "pay", 5)
        shipped += bury(steps, "ship", 5)
    assert dead_letters(steps).replay(LetterFilter(steps=frozenset({"ship"}))).count == 150
    assert waiting(steps) == paid
    sent = [letter.headers["motia-run-id"] for letter in steps.take(steps.queue("ship"))]
    assert sent == shipped


def test_a_letter_of_a_step_that_is_gone_stays(steps: Project) -> None:
    """Exit code 3, with the reason; the others are replayed."""
    gone = bury(steps, "ship", 2)
    bury(steps, "pay", 1)
    steps.remove("ship")
    if steps.settings().uses_rabbitmq:
        with steps.channel() as channel:
            channel.queue_delete(steps.names.queue("ship"))
    done = dlq(steps, "replay", "--all")
    assert (done.code, done.output) == (3, "Replayed 1 dead letter.\n")
    assert "2 dead letters not replayed" in done.errors
    assert "of its Step is not there" in done.errors
    assert waiting(steps) == gone


def test_a_payload_can_be_given(listed: Project) -> None:
    """As JSON, as a file, or on standard input."""
    ids = bury(listed, "pay", 3)
    (listed.folder / "fixed.json").write_text('{"token": "file"}')
    assert dlq(listed, "replay", ids[0], "--data", '{"token": "inline"}').code == 0
    assert dlq(listed, "replay", ids[1], "--data", "fixed.json").code == 0
    assert dlq(listed, "replay", ids[2], "--data", "-", given='{"token": "stdin"}').code == 0
    sent = listed.take(listed.queue("pay"))
    assert [letter.data["token"] for letter in sent] == ["inline", "file", "stdin"]
    assert [letter.headers["motia-run-id"] for letter in sent] == ids


def test_a_payload_can_be_edited(listed: Project) -> None:
    (identity,) = bury(listed, "pay")
    editor = listed.folder / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i s/pay-0/mended/ "$1"\n')
    editor.chmod(0o755)
    done = dlq(listed, "replay", identity, "--edit", EDITOR=str(editor))
    assert done.code == 0, done.errors
    (letter,) = listed.take(listed.queue("pay"))
    assert letter.data == {"token": "mended", "n": 0}


@pytest.mark.parametrize(
    ("arguments", "editor", "said"),
    [
        (["--data", "{oh no"], "true", "is not JSON"),
        (["--edit"], "true", "was not changed"),
        (["--edit"], "false", "failed with exit code 1"),
        (["--edit"], "no-such-editor", "can not be started"),
        (["--edit", "--data", "{}"], "true", "not both"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_payload_that_can_not_be_used_replays_nothing(
    make_project: Callable[..., Project], arguments: list[str], editor: str, said: str
) -> None:
    project = make_project(None)
    project.step("pay", ["paid"])
    ids = bury(project, "pay")
    done = dlq(project, "replay", *ids, *arguments, EDITOR=editor)
    assert done.code in (1, 2)
    assert said in " ".join(done.errors.split())
    assert waiting(project) == ids


def test_one_payload_is_for_one_letter(listed: Project) -> None:
    ids = bury(listed, "pay", 2)
    done = dlq(listed, "replay", "--all", "--data", "{}")
    assert done.code == 1
    assert "2 dead letters match" in done.errors
    assert waiting(listed) == ids


def test_what_is_no_event_needs_a_payload(listed: Project) -> None:
    """It can be read safely, and becomes one by ``--data``."""
    listed.worker()
    listed.publish(listed.queue("pay"), b"\x1b[31m{oh no", message_id="m")
    (letter,) = wait_until(lambda: list(dead_letters(listed).each()), "a dead letter", 60)
    assert (letter.reason, letter.step) == ("undecodable", "pay")
    assert "\\x1b[31m{oh no" in dlq(listed, "show", letter.id).output
    done = dlq(listed, "replay", "--all")
    assert (done.code, done.output) == (3, "Replayed 0 dead letters.\n")
    assert "--data" in done.errors
    assert dlq(listed, "replay", letter.id, "--data", '{"token": "mended"}').code == 0
    (run,) = listed.wait_for("pay")
    assert (run["run"], run["data"]) == (letter.id, {"token": "mended"})
    assert waiting(listed) == []


def test_a_broker_that_is_away_is_explained(make_project: Callable[..., Project]) -> None:
    project = make_project("amqp://guest:guest@127.0.0.1:1//")
    done = dlq(project, "list")
    assert done.code == 1
    assert "the broker does not answer" in done.errors
    with pytest.raises(BrokerUnavailableError):
        dead_letters(project).list()


# Dropping


def test_dropped_letters_are_gone(steps: Project) -> None:
    """The others keep their places."""
    paid, shipped = bury(steps, "pay", 120), bury(steps, "ship", 3)
    done = dlq(steps, "drop", "--step", "ship", paid[7], "--yes")
    assert "No dead letter matches" in done.output  # both must hold
    done = dlq(steps, "drop", "--step", "ship", "--yes")
    assert (done.code, done.output) == (
        0,
        "This deletes 3 dead letters for good.\nDeleted 3 dead letters.\n",
    )
    assert dlq(steps, "drop", paid[7], paid[9][:13], "--yes").code == 0
    assert waiting(steps) == [i for i in paid if i not in (paid[7], paid[9])]
    assert shipped
    assert dlq(steps, "drop", "--all", "--yes").code == 0
    assert waiting(steps) == []


def test_letters_that_died_after_the_question_stay(steps: Project) -> None:
    bury(steps, "pay", 2)
    letters = dead_letters(steps)
    counted = letters.ids()
    later = bury(steps, "pay", 2)
    assert letters.drop(counted) == 2
    assert waiting(steps) == later


def test_of_equal_letters_only_those_counted_are_dropped(steps: Project) -> None:
    """Messages without an id and with the same content share theirs."""
    body = json.dumps({"token": "same"}).encode()
    headers = {"motia-error-type": "E", "motia-queue": steps.queue("pay"), "motia-run-id": "r"}
    bury(steps, "ship")
    for _ in range(3):
        steps.publish(steps.names.dead_letter_queue, body, headers=headers)
    letters = dead_letters(steps)
    counted = letters.ids(LetterFilter(steps=frozenset({"pay"})))
    assert counted == {"r": 3}
    assert len(letters.show("r")) == 3
    counted["r"] = 2
    assert letters.drop(counted) == 2
    assert letters.ids()["r"] == 1


# What others left there


def test_garbage_in_the_list_hinders_no_command(listed: Project, redis_url: str) -> None:
    """Anybody who may write to Redis may push there; the letters between stay what they are."""
    garbage = [
        b"",
        b"\xff\x00\x1b[31m",
        b"[" * 50_000,
        b"9" * 5_000,
        b'{"body": 1, "headers": [], "properties": {"delivery_info": 7}}',
        b'{"headers": {"motia-topic": "\\ud800", "x": ' + b"[" * 500 + b"]" * 500 + b"}, "
        b'"properties": {"message_id": "\\ud800"}, "content-type": NaN}',
    ]
    (identity,) = bury(listed, "pay")
    key = f"{listed.prefix}:broker:{listed.names.dead_letter_queue}"
    with redis.Redis.from_url(redis_url) as client:
        for number, value in enumerate(garbage):
            (client.lpush if number % 2 else client.rpush)(key, value)
    table = dlq(listed, "list")
    assert (table.code, f"{len(garbage) + 1} dead letters in all" in table.output) == (0, True)
    letters = dlq(listed, "list", "--json").letters
    assert len({letter["id"] for letter in letters}) == len(garbage) + 1
    for letter in (letters[0], letters[-1]):
        shown = dlq(listed, "show", letter["id"])
        assert (shown.code, "\x1b" in shown.output) == (0, False)
    replayed = dlq(listed, "replay", "--all")
    assert (replayed.code, listed.depth(listed.queue("pay"))) == (3, 1)
    assert identity not in waiting(listed)
    assert dlq(listed, "drop", "--all", "--yes").code == 0
    assert waiting(listed) == []
