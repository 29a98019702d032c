"""A task of another Celery app, as a handler writes it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from motia_celery.model.task_call import TaskCall

NOW = 1_900_000_000.0
ISO = "2030-03-17T17:46:40+00:00"


def test_without_options_it_goes_to_celerys_own_queue():
    call = TaskCall.read("shop.invoice", {}, NOW)
    assert (call.queue, call.exchange, call.args, call.kwargs) == ("celery", "", (), {})
    assert (call.eta, call.expires, call.priority, call.id) == (None, None, None, "")


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"countdown": 0}, "eta", ISO),
        ({"countdown": 60}, "eta", "2030-03-17T17:47:40+00:00"),
        ({"eta": "2030-03-17T18:46:40+01:00"}, "eta", ISO),
        ({"eta": NOW * 1000}, "eta", ISO),
        ({"eta": datetime.fromtimestamp(NOW, UTC)}, "eta", ISO),
        ({"expires": 0}, "expires", ISO),
        ({"expires": ISO}, "expires", ISO),
        ({"priority": 9}, "priority", 9),
        ({"task_id": "a"}, "id", "a"),
        ({"args": [1]}, "args", [1]),
    ],
)
def test_each_option_as_the_message_has_it(given, field, value):
    assert getattr(TaskCall.read("x", given, NOW), field) == value


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("", {}, "name"),
        (None, {}, "name"),
        ("x", {"args": "ab"}, "args"),
        ("x", {"kwargs": [1]}, "kwargs"),
        ("x", {"queue": 7}, "queue"),
        ("x", {"countdown": -1}, "countdown"),
        ("x", {"countdown": 1, "eta": ISO}, "both"),
        ("x", {"eta": "tomorrow"}, "eta"),
        ("x", {"priority": 10}, "priority"),
        ("x", {"link": 1}, "link"),
    ],
)
def test_what_can_not_be_used_is_named(name, given, words):
    with pytest.raises(ValueError, match=words):
        TaskCall.read(name, given, NOW)
