"""Ids of events and runs: fixed once, and the same on every redelivery."""

from __future__ import annotations

import dataclasses
import time
from uuid import UUID

import pytest

from motia_celery.model.event import Event, derived_id, run_id


def test_each_event_has_an_id_a_trace_and_a_time_of_its_own():
    first, second = Event(topic="a", data=1), Event(topic="a", data=1)
    assert first.id != second.id
    assert first.trace.trace_id != second.trace.trace_id
    assert abs(first.timestamp_ms - time.time() * 1000) < 5_000


def test_an_event_never_changes():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Event(topic="a", data=1).id = "other"


def test_a_run_has_one_id_for_each_event_and_queue():
    """Two Steps that hear one event are two runs; a redelivery is the same run."""
    assert run_id("e1", "motia.q.a") == run_id("e1", "motia.q.a")
    assert len({run_id(e, q) for e in ("e1", "e2") for q in ("motia.q.a", "motia.q.b")}) == 4


def test_parts_of_an_id_do_not_run_together():
    assert derived_id("ab", "c") != derived_id("a", "bc")
    assert UUID(derived_id("é", "c")).version == 5
