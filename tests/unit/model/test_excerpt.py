"""Excerpts: always JSON, never larger than asked for, whatever the value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motia_celery.model.excerpt import cut, excerpt

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=400)
    | st.binary()
    | st.just(object()),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(max_size=300) | st.integers(), inner)
        | st.tuples(inner)
    ),
    max_leaves=60,
)


@given(anything, st.sampled_from([64, 100, 500, 8192]))
def test_an_excerpt_is_json_within_its_limit(value, limit):
    text = excerpt(value, limit)
    assert len(text) <= limit
    json.loads(text)


def test_a_small_value_is_kept_whole():
    value = {"n": 1, "list": [1, None, "ä"], "when": datetime(2030, 1, 2, tzinfo=UTC)}
    assert json.loads(excerpt(value, 1000)) == {**value, "when": "2030-01-02T00:00:00+00:00"}


def test_what_is_cut_says_so():
    value = {"a": "x" * 5000, "b": list(range(5000)), "c": 1}
    found = json.loads(excerpt(value, 600))
    assert found["a"].endswith("… (5,000 characters)")
    assert found["b"][-1].startswith("… (")
    assert json.loads(excerpt({str(n): n for n in range(1000)}, 300))["…"].endswith(" more")


def test_a_key_is_never_cut():
    """A part of it could not be known for a secret one."""
    found = json.loads(excerpt({"k" * 500 + "password": "s3cret"}, 300))
    assert "s3cret" not in str(found)


class Hostile:
    def __repr__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"123", "<3 bytes>"),
        (Decimal("1.5"), "Decimal('1.5')"),
        (ValueError("no"), "no"),
        (Hostile(), "<Hostile that can not be shown: RuntimeError>"),
        (float("nan"), None),
        (2**70, str(2**70)),
        ("\ud800", "?"),
    ],
    ids=["bytes", "decimal", "error", "hostile", "nan", "huge", "surrogate"],
)
def test_what_has_no_json_form_is_shown_as_text(value, shown):
    assert json.loads(excerpt({"v": value}, 500)) == {"v": shown}


def test_a_circle_ends():
    circle: dict = {"n": 1}
    circle["self"] = circle
    assert b'"n":1' in excerpt(circle, 500)


def test_a_cut_of_something_huge_reads_only_its_beginning():
    class Endless(dict):
        def items(self):
            return (("key", "x" * 50) for _ in iter(int, 1))

    assert len(cut(Endless(), 500)) <= 500
