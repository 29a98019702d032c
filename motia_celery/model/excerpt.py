"""An excerpt: any value as JSON of a bounded size, taken at once, so that it may change later."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

_OPTIONS = orjson.OPT_NON_STR_KEYS
_SHOWN_CHARACTERS = 200
_DEEPEST = 20
_LONGEST_KEY = 200
#: What orjson begins to write into.
_BLOCK_BYTES = 4096


class Excerpt(NamedTuple):
    """The value as JSON, and whether it is all there."""

    text: bytes
    is_whole: bool


def excerpt(value: Any, limit_bytes: int) -> bytes:
    """The value as JSON of at most so many bytes (64 at least).

    A larger one is cut: long text ends with ``… (12,345 characters)``, a list with
    ``… (90 more)``, an object has a key ``…``. What has no JSON form is shown as text.
    """
    return excerpt_of(value, limit_bytes).text


def excerpt_of(value: Any, limit_bytes: int) -> Excerpt:
    """The same, told apart from a value that is whole."""
    try:
        whole = orjson.dumps(value, default=_plain, option=_OPTIONS)
    except (TypeError, ValueError, RecursionError):
        return Excerpt(cut(value, limit_bytes), is_whole=False)
    if len(whole) <= limit_bytes:
        return Excerpt(compact(whole), True)  # by name it takes twice as long
    return Excerpt(cut(value, limit_bytes), is_whole=False)


def compact(text: bytes) -> bytes:
    """The same bytes, in no more memory than they need, for what is kept.

    orjson leaves them in the block that it wrote into: 20,000 texts of 205 bytes took 82 MB.
    """
    return text if len(text) > _BLOCK_BYTES else b"%b" % text


def shown(value: object, form: Callable[[object], str] = str) -> str:
    """The value as text, also where its own methods fail."""
    try:
        return form(value)
    except Exception as error:  # whatever its `__str__` raises, or it is nested too deeply
        return f"<{type(value).__name__} that can not be shown: {type(error).__name__}>"


def cut(value: Any, limit_bytes: int) -> bytes:
    """:func:`excerpt` for a value that is known to be larger; what is left out costs nothing."""
    # Escapes and marks take room too, so the first try may be too large.
    room = limit_bytes
    while room >= 16:
        text = orjson.dumps(_Cut(room).of(value))
        if len(text) <= limit_bytes:
            return text
        room //= 2
    return orjson.dumps(f"… ({type(value).__name__})"[:20])


class _Cut:
    """Copies a value until its room is used up."""

    def __init__(self, room: int) -> None:
        self._room = room

    def of(self, value: Any, depth: int = 0) -> Any:
        """The value, or as much of it as there is room for."""
        if isinstance(value, str):
            return self._text(value)
        self._room -= 4
        if depth >= _DEEPEST:
            return "…"
        try:
            if isinstance(value, Mapping):
                return self._object(value, depth)
            if isinstance(value, (list, tuple, set, frozenset)):
                return self._list(value, depth)
        except RuntimeError:  # another thread changes it
            return "…"
        return self._leaf(value, depth)

    def _text(self, text: str) -> str:
        if len(text) > self._room:
            # Half of the room, so that what follows is seen as well.
            text = f"{text[: max(self._room // 2, 0)]}… ({len(text):,} characters)"
        self._room -= len(text) + 2
        return text.encode(errors="replace").decode()

    def _object(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in value.items():
            name = shown(key).encode(errors="replace").decode()
            # A key that is cut could not be known for a secret one.
            if self._room <= 0 or len(name) > _LONGEST_KEY:
                found["…"] = f"{len(value) - len(found):,} more"
                break
            self._room -= len(name) + 4
            found[name] = self.of(item, depth + 1)
        return found

    def _list(self, value: Any, depth: int) -> list[Any]:
        found: list[Any] = []
        for item in value:
            if self._room <= 0:
                return [*found, f"… ({len(value) - len(found):,} more)"]
            found.append(self.of(item, depth + 1))
        return found

    def _leaf(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if value.bit_length() < 64 else self._text(shown(value))
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        plain = _plain(value)
        return self._text(plain) if isinstance(plain, str) else self.of(plain, depth + 1)


def _plain(value: Any) -> Any:
    """A form for what orjson does not know."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value):,} bytes>"
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(value, pydantic.BaseModel):
        return dict(value)
    form = str if isinstance(value, BaseException) else repr
    return shown(value, form)[:_SHOWN_CHARACTERS]
