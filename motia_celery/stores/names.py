"""Names that users choose (groups, keys, streams, ids), and how they become parts of keys."""

from __future__ import annotations

from motia_celery.errors import StateValueError


def encoded_name(name: object) -> bytes:
    """The name as bytes; ids are often numbers, and stand for their digits.

    Raises:
        StateValueError: it is no text.
    """
    text = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
    if not isinstance(text, str):
        raise _bad_name(name)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise _bad_name(name) from error


def _bad_name(name: object) -> StateValueError:
    return StateValueError(
        f"{name!r} ({type(name).__name__}) is no name for a group or key.", "state", "Use text."
    )
