from typing import Any

from motia import (  # noqa: F401
    ApiMiddleware,
    ApiRequest,
    ApiResponse,
    ApiTrigger,
    CronTrigger,
    Enqueue,
    FlowContext,
    Motia,
    MotiaHttpArgs,
    MotiaHttpRequest,
    MotiaHttpResponse,
    QueryParam,
    QueueTrigger,
    StateManager,
    StateTrigger,
    StateTriggerInput,
    StepConfig,
    StepDefinition,
    Stream,
    StreamAuthInput,
    StreamAuthResult,
    StreamConfig,
    StreamSubscription,
    StreamTrigger,
    StreamTriggerInput,
    TriggerCondition,
    TriggerConfig,
    TriggerInfo,
    api,
    cron,
    enqueue,
    get_queue_triggers,
    http,
    is_api_step,
    is_queue_trigger,
    logger,
    multi_trigger_step,
    queue,
    state,
    state_manager,
    stateManager,
    step,
    stream,
    tracing,
)

config = {
    "name": "Names",
    "description": "Imports whatever there is",
    "triggers": [http("GET", "/names")],
    "enqueues": [],
}


async def handler(request: ApiRequest[dict[str, Any]], ctx: FlowContext[Any]) -> ApiResponse[Any]:
    return ApiResponse(
        status=200,
        body={
            "guards": [is_api_step(config), len(get_queue_triggers(config))],
            "is_queue": is_queue_trigger(queue("x")),
            "same": stateManager is state_manager,
        },
    )
