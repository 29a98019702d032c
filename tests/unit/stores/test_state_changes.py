"""What of many changes of state is told: each key's last one, and of very many their groups."""

from __future__ import annotations

from motia_celery.stores.state_changes import MOST, StateChange, _Told


def test_each_key_is_told_once_in_the_order_of_its_last_change() -> None:
    told = _Told()
    for kind, key in (("set", "a"), ("set", "b"), ("delete", "a")):
        told.add(StateChange(kind, "g", key))
    assert told.take() == (StateChange("set", "g", "b"), StateChange("delete", "g", "a"))
    assert told.take() == ()


def test_a_cleared_group_stands_for_what_was_in_it() -> None:
    told = _Told()
    for change in (StateChange("set", "g", "a"), StateChange("set", "h", "a")):
        told.add(change)
    told.add(StateChange("clear", "g"))
    told.add(StateChange("set", "g", "b"))
    assert told.take() == (
        StateChange("set", "h", "a"),
        StateChange("clear", "g"),
        StateChange("set", "g", "b"),
    )


def test_of_too_many_keys_their_groups_are_told() -> None:
    told = _Told()
    for number in range(MOST + 1):
        told.add(StateChange("set", f"g{number % 2}", str(number)))
    assert told.take() == (StateChange("expire", "g0"), StateChange("expire", "g1"))


def test_of_too_many_groups_only_that_something_changed() -> None:
    told = _Told()
    for number in range(3 * MOST):
        told.add(StateChange("set", str(number), "k"))
    assert told.take() is None
    assert told.take() == ()
