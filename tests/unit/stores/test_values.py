"""Values become JSON, or an error that names the part that can not."""

from __future__ import annotations

import pytest

from motia_celery.errors import StateValueError
from motia_celery.stores.values import decode, encode


def test_json_is_compact_utf8() -> None:
    """So that other programs can read it."""
    assert encode({"a": [1, "é"]}, "here") == '{"a":[1,"é"]}'.encode()


def test_null_inside_a_value_is_no_fault() -> None:
    assert encode([None, "null"], "here") == b'[null,"null"]'


def test_the_same_object_twice_is_no_circle() -> None:
    part = {"a": None}
    assert encode([part, part], "here") == b'[{"a":null},{"a":null}]'


def test_a_too_deep_value_is_refused() -> None:
    value: list[object] = []
    for _ in range(400):
        value = [value]
    with pytest.raises(StateValueError, match="too deep"):
        encode(value, "here")


def test_foreign_bytes_are_named_with_their_place() -> None:
    with pytest.raises(StateValueError, match="here: what is stored is not JSON"):
        decode(b"\x80pickle", "here")
