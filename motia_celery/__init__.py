"""Motia's Steps on RabbitMQ, Celery and Redis."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motia_celery.broker.outside import emit
    from motia_celery.context import Context
    from motia_celery.model.config import ApiStep, CronStep, EventStep, NoopStep, StreamConfig

__all__ = ["ApiStep", "Context", "CronStep", "EventStep", "NoopStep", "StreamConfig", "emit"]

#: Where each name is. They are imported when they are first asked for: the process of an isolated
#: run must start fast, and most need none of them.
_MODULES = {
    "Context": "motia_celery.context",
    "emit": "motia_celery.broker.outside",
} | dict.fromkeys(
    ("ApiStep", "CronStep", "EventStep", "NoopStep", "StreamConfig"), "motia_celery.model.config"
)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_MODULES[name]), name)
    return value
