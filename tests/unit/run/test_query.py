"""Rules of query strings and form fields: what ``qs`` makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from motia_celery.run.query import FORM_DEPTH, nest, parse_query


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("a=1&b=x+y", {"a": "1", "b": "x y"}),
        ("a", {"a": ""}),
        ("=x&&a=1&", {"a": "1"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("a[]=1", {"a": ["1"]}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a=1&a[]=2", {"a": ["1", "2"]}),
        ("a[1]=y&a[0]=x", {"a": ["x", "y"]}),
        ("a[b]=1&a[c]=2", {"a": {"b": "1", "c": "2"}}),
        ("a%5Bb%5D=1", {"a": {"b": "1"}}),
        ("a[0][b]=1&a[0][c]=2", {"a": [{"b": "1", "c": "2"}]}),
        ("a[999999999]=x", {"a": {"999999999": "x"}}),
        ("a[=1&b]=2", {"a[": "1", "b]": "2"}),
        ("a[b][c][d][e][f][g]=1", {"a": {"b": {"c": {"d": {"e": {"f": {"[g]": "1"}}}}}}}),
        ("a.b=1", {"a.b": "1"}),
        ("x=caf%C3%A9", {"x": "café"}),
        ("a[__proto__][x]=1&b=2", {"b": "2"}),
        ("[]=1", {"0": "1"}),
    ],
)
def test_names_with_brackets_become_lists_and_objects(query: str, expected: Any) -> None:
    assert parse_query(query) == expected


def test_parameters_past_a_thousand_are_dropped() -> None:
    assert len(parse_query("&".join(f"p{i}=1" for i in range(5_000)))) == 1_000


def test_brackets_without_end_neither_recurse_nor_take_long() -> None:
    assert parse_query("a" + "[b]" * 20_000 + "=1")["a"]
    assert nest([("a" + "[]" * 20_000, "1")], FORM_DEPTH)["a"]
