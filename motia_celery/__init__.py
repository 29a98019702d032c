"""Motia's Steps on RabbitMQ, Celery and Redis."""

from __future__ import annotations

from motia_celery.context import Context
from motia_celery.model.config import ApiStep, CronStep, EventStep, NoopStep, StreamConfig

__all__ = ["ApiStep", "Context", "CronStep", "EventStep", "NoopStep", "StreamConfig"]
