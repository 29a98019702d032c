"""Motia's Steps on RabbitMQ, Celery and Redis."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from motia_celery.broker.outside import emit as emit
    from motia_celery.context import Context as Context
    from motia_celery.context.blocking import SyncContext as SyncContext
    from motia_celery.context.request import Request as Request
    from motia_celery.context.request import Upload as Upload
    from motia_celery.model.config import ApiStep as ApiStep
    from motia_celery.model.config import CronStep as CronStep
    from motia_celery.model.config import EmitConfig as EmitConfig
    from motia_celery.model.config import EventStep as EventStep
    from motia_celery.model.config import NoopStep as NoopStep
    from motia_celery.model.config import QueryParamConfig as QueryParamConfig
    from motia_celery.model.config import StreamConfig as StreamConfig
    from motia_celery.model.options import HandlerConfig as HandlerConfig
    from motia_celery.model.options import (
        HandlerInfrastructureConfig as HandlerInfrastructureConfig,
    )
    from motia_celery.model.options import InfrastructureConfig as InfrastructureConfig
    from motia_celery.model.options import QueueConfig as QueueConfig
    from motia_celery.model.options import RetryConfig as RetryConfig
    from motia_celery.model.typed import ApiRouteConfig as ApiRouteConfig
    from motia_celery.model.typed import CronConfig as CronConfig
    from motia_celery.model.typed import EventConfig as EventConfig
    from motia_celery.model.typed import NoopConfig as NoopConfig

#: Where each name is. They are imported when they are first asked for: the process of an isolated
#: run must start fast, and most need none of them.
_PLACES = {
    "broker.outside": ("emit",),
    "context": ("Context",),
    "context.blocking": ("SyncContext",),
    "context.request": ("Request", "Upload"),
    "model.config": (
        "ApiStep",
        "CronStep",
        "EmitConfig",
        "EventStep",
        "NoopStep",
        "QueryParamConfig",
        "StreamConfig",
    ),
    "model.options": (
        "HandlerConfig",
        "HandlerInfrastructureConfig",
        "InfrastructureConfig",
        "QueueConfig",
        "RetryConfig",
    ),
    "model.typed": ("ApiRouteConfig", "CronConfig", "EventConfig", "NoopConfig"),
}
_MODULES = {name: f"{__name__}.{place}" for place, names in _PLACES.items() for name in names}

__all__ = [  # noqa: PLE0604 - the names are those above
    *_MODULES
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_MODULES[name]), name)
    return value
