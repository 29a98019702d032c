from motia import (
    ApiTrigger,
    CronTrigger,
    Enqueue,
    QueryParam,
    QueueTrigger,
    StateTrigger,
    StepConfig,
    StreamTrigger,
)

from .todos_stream import todos

config = StepConfig(
    name="Typed",
    description="With objects",
    flows=["typed"],
    triggers=[
        ApiTrigger(
            method="GET", path="/typed", query_params=[QueryParam(name="q", description="What")]
        ),
        QueueTrigger(topic="typed", condition=lambda input, ctx: input["go"]),
        CronTrigger(expression="0 0 9 * * *"),
        StateTrigger(condition=lambda input, ctx: input.group_id == "typed"),
        StreamTrigger(stream_name="notes", group_id="all"),
    ],
    enqueues=["typed", Enqueue(topic="later", label="Later", conditional=True)],
    virtual_enqueues=["drawn"],
    virtual_subscribes=["drawn.too"],
)


async def handler(input_data, ctx):
    if ctx.is_api():
        await ctx.state.set("typed", "1", 1)
        await ctx.streams.notes.set("all", "1", {"text": "a"})
        await todos.set("all", "1", {"text": "b"})
    return {"status": 200, "body": [item["text"] for item in await todos.list("all")]}
