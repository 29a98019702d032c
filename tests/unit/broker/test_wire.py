"""What an event looks like on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motia_celery.broker import wire
from motia_celery.errors import EmitError
from motia_celery.model.event import Event
from motia_celery.model.run import RunError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_the_body_is_the_data_as_plain_json(data):
    import json

    assert json.loads(wire.event_body(Event(topic="t", data=data), 10**6)) == data


@pytest.mark.parametrize("data", [object(), {1, 2}, {"a": b"bytes"}, 2**70, "\ud800"])
def test_data_that_is_no_json_is_refused_with_the_topic(data):
    with pytest.raises(EmitError, match=r"emit 'order\.paid'"):
        wire.event_body(Event(topic="order.paid", data=data), 10**6)


def test_the_limit_counts_bytes_and_not_characters():
    assert wire.event_body(Event(topic="t", data="ä"), 4) == '"ä"'.encode()
    with pytest.raises(EmitError, match="has 4 bytes; at most 3"):
        wire.event_body(Event(topic="t", data="ä"), 3)


def test_headers_leave_out_what_is_not_known():
    event = Event(topic="t", data=None)
    assert wire.event_headers(event) == {"traceparent": event.trace.header, "motia-topic": "t"}


def test_only_a_second_attempt_has_its_number_in_the_headers():
    event = Event(topic="t", data=None)
    assert "motia-attempt" not in wire.event_headers(event, 1)
    assert wire.event_headers(event, 2)["motia-attempt"] == 2


def test_properties_are_the_standard_ones_and_persistent():
    event = Event(topic="t", data=None, id="e", root_id="r", timestamp_ms=1_999)
    assert wire.event_properties(event) == {
        "message_id": "e",
        "correlation_id": "r",
        "timestamp": 1,
        "app_id": "motia-celery",
        "delivery_mode": 2,
    }


def test_an_error_is_cut_to_fit_a_frame():
    error = RunError("ValueError", "x" * 10_000, "a.py:1", "y" * 20_000 + "the end")
    headers = wire.failure_headers(error, run_id="r", step="s", queue="q")
    assert len(headers["motia-error-message"]) == 2_000
    assert len(headers["motia-error-traceback"]) == 8_000
    assert headers["motia-error-traceback"].endswith("the end")


def test_an_error_of_lone_surrogates_can_be_sent():
    error = RunError("ValueError", "a\ud800b", "a.py:1", "\udcff")
    headers = wire.failure_headers(error, run_id="r", step="s", queue="q")
    assert headers["motia-error-message"] == "a?b"
    assert headers["motia-error-traceback"] == "?"
