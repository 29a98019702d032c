"""Names that users choose (groups, keys, streams, ids), and how they become parts of keys."""

from __future__ import annotations

from motia_celery.errors import StateValueError


def encoded_name(name: object, where: str = "state") -> bytes:
    """The name as bytes; ids are often numbers, and stand for their digits.

    Raises:
        StateValueError: it is no text.
    """
    text = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
    if not isinstance(text, str):
        raise _bad_name(name, where)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise _bad_name(name, where) from error


def _bad_name(name: object, where: str) -> StateValueError:
    what = "a group or key" if where == "state" else "a group or item"
    return StateValueError(
        f"{name!r} ({type(name).__name__}) is no name for {what}.", where, "Use text."
    )


def state_place(group: str, key: str) -> str:
    """A value's place, for errors."""
    return f"state {group!r} / {key!r}"


def stream_place(stream: str, group: str, id: str | None = None) -> str:
    """Where an item is, for errors."""
    return f"stream {stream!r}, group {group!r}" + ("" if id is None else f", item {id!r}")
