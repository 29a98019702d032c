"""A task of another Celery app, as a handler asks for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from motia_celery.model.emit import HIGHEST_PRIORITY, moment

#: Celery's own default.
DEFAULT_QUEUE = "celery"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCall:
    """One message for a worker of another app.

    It goes to ``queue``, or with ``exchange`` to whatever is bound there by ``routing_key``.
    ``eta`` and ``expires`` are ISO 8601 text.
    """

    name: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any]
    id: str = ""
    queue: str = DEFAULT_QUEUE
    exchange: str = ""
    routing_key: str = ""
    eta: str | None = None
    expires: str | None = None
    priority: int | None = None

    @classmethod
    def read(cls, name: Any, given: Mapping[str, Any], now: float) -> TaskCall:
        """The call as a handler writes it; ``now`` is an epoch time.

        Raises:
            ValueError: something of it can not be used.
        """
        if not isinstance(name, str) or not name:
            raise ValueError("the name of a task is text")
        if unknown := given.keys() - _OPTIONS:
            raise ValueError(f"send_task has no option {sorted(unknown)[0]!r}")
        return cls(
            name=name,
            args=_arguments(given.get("args")),
            kwargs=_keywords(given.get("kwargs")),
            id=_text("task_id", given),
            queue=_text("queue", given) or DEFAULT_QUEUE,
            exchange=_text("exchange", given),
            routing_key=_text("routing_key", given),
            eta=_moment(given.get("countdown"), given.get("eta"), "eta", now),
            expires=_expiry(given.get("expires"), now),
            priority=_priority(given.get("priority")),
        )


_OPTIONS = frozenset(
    {
        *("args", "kwargs", "task_id", "queue", "exchange", "routing_key"),
        *("countdown", "eta", "expires", "priority"),
    }
)


def _arguments(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"args is {value!r:.100}; give a list")
    return value


def _keywords(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"kwargs is {value!r:.100}; give a dict")
    return value


def _text(name: str, given: Mapping[str, Any]) -> str:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is {value!r:.100}; give text")
    return value or ""


def _is_seconds(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _moment(countdown: Any, eta: Any, name: str, now: float) -> str | None:
    if countdown is not None:
        if eta is not None:
            raise ValueError("countdown and eta are both given; give one of them")
        if not _is_seconds(countdown) or countdown < 0:
            raise ValueError(f"countdown is {countdown!r:.100}; give seconds")
        return _iso(now + countdown)
    if eta is None:
        return None
    try:
        return _iso(moment(eta))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _expiry(value: Any, now: float) -> str | None:
    # As in Celery, a number is seconds from now.
    if _is_seconds(value):
        return _iso(now + value)
    return _moment(None, value, "expires", now)


def _iso(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).isoformat()


def _priority(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= HIGHEST_PRIORITY:
        raise ValueError(f"priority is {value!r:.100}; give 0 to {HIGHEST_PRIORITY}")
    return value
