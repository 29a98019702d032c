from motia import (
    Stream,
    cron,
    http,
    logger,
    multi_trigger_step,
    queue,
    state,
    state_manager,
    stream,
)

notes = Stream("notes")


async def on_http(request, ctx):
    await state_manager.set("orders", request.path_params["id"], {"made": True})
    return {"status": 201, "body": {"id": request.path_params["id"]}}


async def on_queue(input_data, ctx):
    logger.info("queue", {"data": input_data})


async def on_cron(ctx):
    logger.info("cron", {"by": ctx.trigger.type})


async def on_state(input_data, ctx):
    await notes.set("all", input_data.item_id, {"text": "made"})


async def on_stream(input_data, ctx):
    logger.info("stream", {"id": input_data.id})


config, handler = (
    multi_trigger_step(
        {
            "name": "Orders",
            "triggers": [
                http("POST", "/orders/:id"),
                queue("order.imported"),
                cron("0 0 9 * * *"),
                state(),
                stream("notes"),
            ],
        }
    )
    .on_http(on_http)
    .on_queue(on_queue)
    .on_cron(on_cron)
    .on_state(on_state)
    .on_stream(on_stream)
    .handlers()
)
