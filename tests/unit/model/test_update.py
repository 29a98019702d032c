"""Update operations change a value as Motia 1.0's do, or say what does not fit."""

from __future__ import annotations

import pytest

from motia_celery.errors import UpdateError
from motia_celery.model.update import updated

CHANGES = [
    ({"a": 1}, {"type": "set", "path": "b", "value": 2}, {"a": 1, "b": 2}),
    ({"a": 1}, {"type": "set", "path": "a", "value": None}, {"a": None}),
    ({"a": 1}, {"type": "set", "path": "", "value": [1]}, [1]),
    (None, {"type": "set", "path": "a", "value": 1}, {"a": 1}),
    ({}, {"type": "set", "path": "a.b", "value": 1}, {"a.b": 1}),
    ({}, {"type": "set", "path": ["a", "b"], "value": 1}, {"a": {"b": 1}}),
    ({"a": 1}, {"type": "merge", "value": {"b": {"c": 2}}}, {"a": 1, "b": {"c": 2}}),
    ({"a": {"b": {"x": 1}}}, {"type": "merge", "value": {"a": {}}}, {"a": {}}),
    ({"a": {"b": 1}}, {"type": "merge", "path": "a", "value": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
    (None, {"type": "merge", "value": {"a": 1}}, {"a": 1}),
    ({"n": 5}, {"type": "increment", "path": "n", "by": 2}, {"n": 7}),
    ({"n": 5}, {"type": "increment", "path": "n"}, {"n": 6}),
    ({"n": 0.5}, {"type": "decrement", "path": "n", "by": 0.25}, {"n": 0.25}),
    (None, {"type": "decrement", "path": "n", "by": 2}, {"n": -2}),
    (None, {"type": "increment", "path": "", "by": 3}, 3),
    ({"n": None}, {"type": "increment", "path": "n", "by": 3}, {"n": 3}),
    ({"l": [1]}, {"type": "append", "path": "l", "value": 2}, {"l": [1, 2]}),
    (None, {"type": "append", "value": 1}, [1]),
    ({"a": 1, "b": 2}, {"type": "remove", "path": "a"}, {"b": 2}),
    ({"b": 2}, {"type": "remove", "path": "gone"}, {"b": 2}),
    ({"b": 2}, {"type": "remove", "path": ["b"]}, {}),
    ({"b": 2}, {"type": "remove", "path": ""}, None),
]

UNFIT = [
    ({"n": "5"}, {"type": "increment", "path": "n", "by": 1}, "'n' is text, no number"),
    ({"n": True}, {"type": "decrement", "path": "n", "by": 1}, "'n' is a boolean"),
    ({"n": 1}, {"type": "increment", "path": "n", "by": "1"}, "by is text"),
    ([1], {"type": "increment", "path": "n", "by": 1}, "the value is a list, no object"),
    ({"a": 1}, {"type": "set", "path": ["a", "b"], "value": 1}, "'a' is a number, no object"),
    ({"a": 1}, {"type": "merge", "path": "a", "value": {}}, "'a' is a number, no object"),
    ({}, {"type": "merge", "value": 1}, "a number can not be merged"),
    ({"a": {}}, {"type": "append", "path": "a", "value": 1}, "'a' is an object, no list"),
    ({}, {"type": "multiply", "path": "a"}, "is no update operation"),
    ({}, {"path": "a"}, "is no update operation"),
    ({}, "set", "is no update operation"),
    ({}, {"type": "remove"}, "needs a path"),
    ({}, {"type": "set", "value": 1}, "needs a path"),
    ({}, {"type": "set", "path": 7}, "needs a path"),
    ({}, {"type": "set", "path": ["a", 7]}, "needs a path"),
]


@pytest.mark.parametrize(("value", "operation", "expected"), CHANGES, ids=str)
def test_one_operation(value, operation, expected):
    assert updated(value, [operation], "here") == expected


def test_operations_follow_each_other():
    operations = [
        {"type": "set", "path": "", "value": {}},
        {"type": "increment", "path": "n", "by": 2},
        {"type": "increment", "path": "n", "by": 2},
        {"type": "set", "path": "status", "value": "done"},
    ]
    assert updated({"old": 1}, operations, "here") == {"n": 4, "status": "done"}


@pytest.mark.parametrize(("value", "operation", "fault"), UNFIT, ids=str)
def test_what_does_not_fit_is_named_with_its_place(value, operation, fault):
    with pytest.raises(UpdateError, match=fault) as caught:
        updated(value, [operation], "state 'g' / 'k'")
    assert caught.value.where == "state 'g' / 'k'"
    assert caught.value.fix
