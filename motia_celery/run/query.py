"""Query strings and form fields as the ``qs`` library reads them: repeated and nested names.

``a=1&a=2`` and ``a[]=1&a[]=2`` give a list, ``a[b]=1`` an object, ``a[0]=x`` a list again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

#: Express reads at most so many parameters, and brackets down to so many levels.
MAX_PARAMETERS = 1000
QUERY_DEPTH = 5
FORM_DEPTH = 32
#: An index past this one makes an object, so that ``a[999999999]=x`` can not build a huge list.
MAX_INDEX = 100


def parse_query(query: str) -> dict[str, Any]:
    """The parameters of a query string; those past :data:`MAX_PARAMETERS` are dropped."""
    if not query:
        return {}
    return nest(split_pairs(query, MAX_PARAMETERS), QUERY_DEPTH)


def split_pairs(encoded: str, limit: int) -> list[tuple[str, str]]:
    """The first ``limit`` decoded name and value pairs of a urlencoded text."""
    pairs = []
    for part in encoded.split("&", limit)[:limit]:
        name, _, value = part.partition("=")
        if name:
            pairs.append((unquote_plus(name), unquote_plus(value)))
    return pairs


def nest(pairs: Iterable[tuple[str, Any]], depth: int) -> dict[str, Any]:
    """The object that the pairs describe; names may hold brackets ``depth`` levels deep."""
    root = _Node()
    for name, value in pairs:
        keys = _keys(name, depth)
        if "__proto__" in keys:
            continue  # a handler in JavaScript that merges objects would change all of them
        node = root
        for key in keys:
            node = node.child(key)
        node.values.append(value)
    return root.object()


@dataclass(slots=True)
class _Node:
    """A name in the making: the values given to it, and the names within its brackets."""

    values: list[Any] = field(default_factory=list)
    #: The key is a number where ``[]`` appended the child.
    children: dict[str | int, _Node] = field(default_factory=dict)

    def child(self, key: str) -> _Node:
        """The node of ``key``; a new one for the empty key of ``[]``."""
        return self.children.setdefault(key or len(self.children), _Node())

    def value(self) -> Any:
        """A string, a list, or an object."""
        if not self.children:
            return self.values[0] if len(self.values) == 1 else self.values
        nested = self._nested()
        if not self.values:
            return nested
        return [*self.values, *(nested if isinstance(nested, list) else [nested])]

    def _nested(self) -> Any:
        if all(_is_index(key) for key in self.children):
            return [child.value() for _, child in sorted(self.children.items(), key=_position)]
        return self.object()

    def object(self) -> dict[str, Any]:
        """The children by their names."""
        return {str(key): child.value() for key, child in self.children.items()}


def _is_index(key: str | int) -> bool:
    return isinstance(key, int) or (_is_number(key) and int(key) <= MAX_INDEX)


def _is_number(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) <= 9


def _position(item: tuple[str | int, _Node]) -> tuple[bool, int]:
    """Numbered elements first, in their order; then those that were appended."""
    key = item[0]
    return isinstance(key, int), int(key)


def _keys(name: str, depth: int) -> list[str]:
    """``a[b][c]`` as ``a``, ``b``, ``c``; brackets that do not pair belong to the name."""
    opening = name.find("[")
    if opening < 0 or name.find("]", opening) < 0:
        return [name]
    keys = [name[:opening]] if opening else []
    while name.startswith("[", opening):
        closing = name.find("]", opening)
        if closing < 0 or len(keys) > depth:
            keys.append(name[opening:])
            break
        keys.append(name[opening + 1 : closing])
        opening = closing + 1
    return keys
