"""The names of the module ``motia``, as Steps of Motia 1.0 import them."""

from __future__ import annotations

from motia_celery.context.trigger import TriggerInfo
from motia_celery.model.changed import StateTriggerInput, StreamTriggerInput
from motia_celery.model.config import StreamConfig
from motia_celery.model.triggers import TriggersStep as StepConfig
from motia_celery.motia.ambient import StateManager, Stream, enqueue, logger, state_manager
from motia_celery.motia.messages import (
    ApiRequest,
    ApiResponse,
    FlowContext,
    MotiaHttpArgs,
)
from motia_celery.motia.steps import MultiTriggerStep, StepDefinition, multi_trigger_step, step
from motia_celery.motia.triggers import api, cron, http, queue, state, stream

stateManager = state_manager  # noqa: N816 - Motia's name

__all__ = [
    "ApiRequest",
    "ApiResponse",
    "FlowContext",
    "MotiaHttpArgs",
    "MultiTriggerStep",
    "StateManager",
    "StateTriggerInput",
    "StepConfig",
    "StepDefinition",
    "Stream",
    "StreamConfig",
    "StreamTriggerInput",
    "TriggerInfo",
    "api",
    "cron",
    "enqueue",
    "http",
    "logger",
    "multi_trigger_step",
    "queue",
    "state",
    "stateManager",
    "state_manager",
    "step",
    "stream",
]
