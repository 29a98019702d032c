"""A task's arguments as Flower shows them: their beginning, with secrets masked."""

from __future__ import annotations

from typing import Any

from motia_celery.model.excerpt import cut
from motia_celery.model.redaction import DEFAULT, Redaction

#: Bytes that are shown.
_LIMIT = 500


def shown_arguments(data: Any, redaction: Redaction | None, text: bytes | None = None) -> str:
    """The JSON of ``data``, or of as much of it as is shown; ``text`` is all of it, if known."""
    redaction = redaction or DEFAULT
    if text is not None and len(text) <= _LIMIT and not redaction.may_hide(text):
        return text.decode(errors="replace")
    return redaction.json(cut(data, _LIMIT)).decode()
