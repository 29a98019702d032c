"""Values of state as they are stored, and what an update makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from motia_celery.model.update import updated
from motia_celery.stores.names import state_place
from motia_celery.stores.values import decode, encode

Operations = Iterable[Mapping[str, Any]]


class Updated(TypedDict):
    """What an update changed, in Motia 1.0's words."""

    old_value: Any
    new_value: Any


class Rule:
    """The operations of an update, ready to be applied to whatever is stored."""

    def __init__(self, operations: Operations, where: str) -> None:
        self._operations = encode(list(operations), where)
        self._where = where

    def applied(self, old: Any, copy: Any) -> Updated:
        """What the update makes of the old value, told as a pair; the copy is changed."""
        operations = decode(self._operations, self._where)
        return {"old_value": old, "new_value": updated(copy, operations, self._where)}


def value_of(found: bytes | None, group: str, key: str) -> Any:
    """The value that is stored, or None."""
    return None if found is None else decode(found, state_place(group, key))


def applied_to(
    rule: Rule, found: bytes | None, group: str, key: str
) -> tuple[Updated, bytes | None]:
    """What is told of the update, and the new value as it is stored."""
    result = rule.applied(value_of(found, group, key), value_of(found, group, key))
    return result, encoded_or_none(result["new_value"], state_place(group, key))


def encoded_or_none(value: Any, where: str) -> bytes | None:
    """The value as it is stored; None is not."""
    return None if value is None else encode(value, where)


def plain(value: Any, where: str) -> Any:
    """The value as it would be read back."""
    return decode(encode(value, where), where)


def decoded(group: str, found: Mapping[Any, bytes | str]) -> dict[str, Any]:
    """A group's values by key, in the order of the keys' text."""
    # UTF-8 sorts as its text does, so both stores list in one order.
    return {
        key.decode(): decode(found[key], state_place(group, key.decode())) for key in sorted(found)
    }


def change_body(
    group: str, key: str, old: bytes | None, new: bytes | None, limit_bytes: int
) -> bytes:
    """The body of the event of a change, as the scripts write it."""
    place = (encode(str(group), ""), encode(str(key), ""))
    head = b'{"type":"state","group_id":%b,"item_id":%b,"old_value":' % place
    tail = b',"new_value":%b}' % (new or b"null")
    body = head + (old or b"null") + tail
    omitted = head + b'null,"old_value_omitted":true' + tail
    return body if len(body) <= limit_bytes else omitted
