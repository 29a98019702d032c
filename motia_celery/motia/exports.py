"""The names of the module ``motia``, as Steps of Motia 1.0 import them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from motia_celery.context.response import RequestBody as ChannelReader
from motia_celery.context.response import ResponseStream as ChannelWriter
from motia_celery.context.response import WrittenResponse as MotiaHttpResponse
from motia_celery.context.trigger import TriggerInfo
from motia_celery.model.changed import StateTriggerInput, StreamEvent, StreamTriggerInput
from motia_celery.model.client import StreamAuthInput, StreamAuthResult, StreamSubscription
from motia_celery.model.config import EmitConfig, StreamConfig
from motia_celery.model.config import QueryParamConfig as QueryParam
from motia_celery.model.step import Step
from motia_celery.model.triggers import CronTriggerConfig as CronTrigger
from motia_celery.model.triggers import HttpTriggerConfig as ApiTrigger
from motia_celery.model.triggers import QueueTriggerConfig as QueueTrigger
from motia_celery.model.triggers import StateTriggerConfig as StateTrigger
from motia_celery.model.triggers import StreamTriggerConfig as StreamTrigger
from motia_celery.model.triggers import TriggersStep as StepConfig
from motia_celery.motia import tracing
from motia_celery.motia.ambient import StateManager, Stream, enqueue, logger, state_manager
from motia_celery.motia.application import Motia
from motia_celery.motia.guards import (
    get_api_triggers,
    get_cron_triggers,
    get_queue_triggers,
    get_state_triggers,
    get_stream_triggers,
    is_api_step,
    is_api_trigger,
    is_cron_step,
    is_cron_trigger,
    is_queue_step,
    is_queue_trigger,
    is_state_step,
    is_state_trigger,
    is_stream_step,
    is_stream_trigger,
)
from motia_celery.motia.messages import ApiRequest, ApiResponse, FlowContext, MotiaHttpArgs
from motia_celery.motia.steps import MultiTriggerStep, StepDefinition, multi_trigger_step, step
from motia_celery.motia.triggers import api, cron, http, queue, state, stream

stateManager = state_manager  # noqa: N816 - Motia's name

MultiTriggerStepBuilder = MultiTriggerStep
MotiaHttpRequest = ApiRequest

# Names for annotations.
ApiMiddleware = Callable[..., Any]
ApiRouteMethod = str
Enqueue = EmitConfig
Enqueuer = Callable[..., Any]
TriggerCondition = Callable[..., Any]
TriggerConfig = dict[str, Any]
TriggerInput = Any

__all__ = [
    "ApiMiddleware",
    "ApiRequest",
    "ApiResponse",
    "ApiRouteMethod",
    "ApiTrigger",
    "ChannelReader",
    "ChannelWriter",
    "CronTrigger",
    "Enqueue",
    "Enqueuer",
    "FlowContext",
    "Motia",
    "MotiaHttpArgs",
    "MotiaHttpRequest",
    "MotiaHttpResponse",
    "MultiTriggerStep",
    "MultiTriggerStepBuilder",
    "QueryParam",
    "QueueTrigger",
    "StateManager",
    "StateTrigger",
    "StateTriggerInput",
    "Step",
    "StepConfig",
    "StepDefinition",
    "Stream",
    "StreamAuthInput",
    "StreamAuthResult",
    "StreamConfig",
    "StreamEvent",
    "StreamSubscription",
    "StreamTrigger",
    "StreamTriggerInput",
    "TriggerCondition",
    "TriggerConfig",
    "TriggerInfo",
    "TriggerInput",
    "api",
    "cron",
    "enqueue",
    "get_api_triggers",
    "get_cron_triggers",
    "get_queue_triggers",
    "get_state_triggers",
    "get_stream_triggers",
    "http",
    "is_api_step",
    "is_api_trigger",
    "is_cron_step",
    "is_cron_trigger",
    "is_queue_step",
    "is_queue_trigger",
    "is_state_step",
    "is_state_trigger",
    "is_stream_step",
    "is_stream_trigger",
    "logger",
    "multi_trigger_step",
    "queue",
    "state",
    "stateManager",
    "state_manager",
    "step",
    "stream",
    "tracing",
]
