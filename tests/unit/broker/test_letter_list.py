"""What lies in Redis's list of dead letters is read, whoever pushed it there."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motia_celery.broker.letter import LetterReader
from motia_celery.broker.letter_list import listed
from motia_celery.plan.topology import Names, QueuePlan

READER = LetterReader(Names("app"), 1_000, [QueuePlan(name="app.q.pay", step="pay")])
#: JSON as it may lie there: with halves of pairs, and without an end of numbers.
TEXT = st.text(st.characters(), max_size=5) | st.sampled_from(["\ud800", "app.q.pay", "base64"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "task",
            "id",
            "motia-topic",
            "motia-queue",
            "motia-step",
            "motia-run-id",
            "motia-event-id",
            "motia-error-type",
            "motia-error-message",
            "motia-died-at",
            "motia-content-type",
            "traceparent",
        ]
    )
    | TEXT,
    VALUES,
    max_size=4,
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "body": st.sampled_from(["e30=", "{}", "", "\ud800"]) | VALUES,
        "headers": HEADERS | VALUES,
        "content-type": st.just("application/json") | VALUES,
        "content-encoding": st.just("utf-8") | VALUES,
        "properties": st.fixed_dictionaries(
            {},
            optional={
                "body_encoding": st.just("base64") | VALUES,
                "message_id": VALUES,
                "correlation_id": VALUES,
                "timestamp": VALUES,
                "priority": VALUES,
                "delivery_info": st.dictionaries(
                    st.sampled_from(["exchange", "routing_key"]), VALUES
                )
                | VALUES,
            },
        )
        | VALUES,
    },
)


def check(value: bytes) -> None:
    """It is a letter, the same each time, which can be told to people and to programs."""
    first, second = (READER.read(listed(value)) for _ in range(2))
    assert first.id == second.id != ""
    told = json.loads(json.dumps(first.as_dict(), allow_nan=False))
    assert told["id"] == first.id
    json.dumps(first.as_dict(), ensure_ascii=False).encode()


@given(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_a_letter(value: bytes) -> None:
    check(value)


@given(MESSAGES.map(lambda message: json.dumps(message).encode()))
def test_half_a_message_is_a_letter(value: bytes) -> None:
    check(value)


@pytest.mark.parametrize(
    "value", [b"", b"[" * 100_000, b'{"a":' * 2_000, b"9" * 10_000, b"\xff" * 10, b'"\\ud800"']
)
def test_garbage_without_measure_is_its_own_body(value: bytes) -> None:
    check(value)
    letter = READER.read(listed(value))
    assert letter.body == value
    assert letter.reason in ("undecodable", "oversized") or letter.is_json
