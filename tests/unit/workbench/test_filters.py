"""The filters of Motia's state endpoint."""

from __future__ import annotations

import json
from typing import Any

import pytest

from motia_celery.errors import RequestError
from motia_celery.workbench.filters import parse_filters

VALUE = {"name": "ada", "age": 36, "ok": True, "none": None}


@pytest.mark.parametrize(
    ("key", "operation", "wanted", "passes"),
    [
        ("name", "eq", "ada", True),
        ("name", "eq", "bob", False),
        ("age", "eq", "36", True),
        ("ok", "eq", "true", True),
        ("name", "neq", "bob", True),
        ("gone", "neq", "x", True),
        ("gone", "eq", "", False),
        ("age", "gt", "9", True),
        ("age", "gte", "36", True),
        ("age", "lt", "100", True),
        ("age", "lte", "35", False),
        ("name", "gt", "aaa", True),
        ("gone", "lt", "1", False),
        ("name", "contains", "d", True),
        ("name", "notContains", "d", False),
        ("name", "startsWith", "ad", True),
        ("name", "endsWith", "da", True),
        ("name", "isNotNull", "", True),
        ("none", "isNull", "", True),
        ("gone", "isNull", "", True),
    ],
)
def test_each_operation(key: str, operation: str, wanted: str, passes: bool) -> None:
    text = json.dumps([{"valueKey": key, "operation": operation, "value": wanted}])
    (found,) = parse_filters(text)
    assert found.passes(VALUE) is passes


@pytest.mark.parametrize("value", [None, 1, "x", [1], True])
def test_a_value_without_members_has_none(value: Any) -> None:
    (is_null,) = parse_filters('[{"valueKey": "a", "operation": "isNull"}]')
    assert is_null.passes(value)


def test_no_filter_passes_everything() -> None:
    assert parse_filters(None) == parse_filters("") == parse_filters("[]") == ()


@pytest.mark.parametrize(
    "text", ["{", "1", '[{"valueKey": "a"}]', '[{"operation": "eq"}]', "[" * 5000]
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(RequestError):
        parse_filters(text)
