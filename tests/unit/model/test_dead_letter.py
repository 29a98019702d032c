"""Dead letters as values: what they are as JSON, and which a filter means."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from motia_celery.model.dead_letter import DeadLetter, LetterFilter, is_json
from motia_celery.model.run import RunError

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
LETTER = DeadLetter(
    id="run-1",
    reason="failed",
    step="pay",
    queue="app.q.pay",
    topic="order.paid",
    error=RunError("ValueError", "no lamps", "steps/pay.py:3", "Traceback"),
    attempts=4,
    died_at=NOON,
    event_id="event-1",
    trace_id="ab" * 16,
    body=b'{"n":1}',
)


@pytest.mark.parametrize(
    "wanted",
    [
        LetterFilter(),
        LetterFilter(ids=frozenset({"run-1", "run-2"})),
        LetterFilter(steps=frozenset({"pay"})),
        LetterFilter(topic="order.*"),
        LetterFilter(error="VALUEERROR: no"),
        LetterFilter(reason="failed"),
        LetterFilter(trace="abab"),
        LetterFilter(died_after=NOON, died_before=NOON),
    ],
)
def test_a_letter_that_is_meant(wanted):
    assert wanted.matches(LETTER)


@pytest.mark.parametrize(
    "wanted",
    [
        LetterFilter(ids=frozenset({"run"})),
        LetterFilter(steps=frozenset({"pa"})),
        LetterFilter(topic="order"),
        LetterFilter(error="KeyError"),
        LetterFilter(reason="poison"),
        LetterFilter(trace="ba"),
        LetterFilter(died_after=NOON + timedelta(seconds=1)),
        LetterFilter(died_before=NOON - timedelta(seconds=1)),
        LetterFilter(steps=frozenset({"pay"}), reason="poison"),
    ],
)
def test_a_letter_that_is_not_meant(wanted):
    assert not wanted.matches(LETTER)


def test_a_letter_without_a_time_is_in_no_range_of_times():
    timeless = replace(LETTER, died_at=None)
    assert LetterFilter().matches(timeless)
    assert not LetterFilter(died_after=NOON).matches(timeless)
    assert not LetterFilter(died_before=NOON).matches(timeless)


def test_a_letter_is_json_ready():
    headers = {
        "x-death": [{"time": NOON, "count": 1, "reason": b"rejected"}],
        "motia-error-traceback": "again",
        "odd": (object, None),
    }
    told = json.loads(json.dumps(replace(LETTER, headers=headers).as_dict()))
    assert told["data"] == {"n": 1}
    assert told["died_at"] == "2030-01-01T12:00:00+00:00"
    assert told["error"]["traceback"] == "Traceback"
    assert told["headers"]["x-death"] == [
        {"time": "2030-01-01T12:00:00+00:00", "count": 1, "reason": "b'rejected'"}
    ]
    assert "motia-error-traceback" not in told["headers"]


def test_a_body_that_is_no_json_is_in_base64():
    told = replace(LETTER, body=b"\xff").as_dict()
    assert told["body_base64"] == "/w=="
    assert "data" not in told


@pytest.mark.parametrize("body", [b"", b"{oh no", b"NaN", b'"\xff"', b"{} {}"])
def test_what_no_worker_takes_is_no_json(body):
    assert not is_json(body)
