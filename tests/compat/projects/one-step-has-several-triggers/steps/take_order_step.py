from motia import cron, enqueue, http, logger, queue

config = {
    "name": "TakeOrder",
    "description": "Takes orders from wherever they come",
    "flows": ["orders"],
    "triggers": [
        http("POST", "/orders"),
        queue("order.imported"),
        cron("0 0 9 * * *"),
    ],
    "enqueues": ["order.taken"],
}


async def handler(input_data, ctx):
    logger.info("Started", {"by": ctx.trigger.type})
    if ctx.trigger.type != "http":
        return None
    await enqueue({"topic": "order.taken", "data": input_data.body})
    return {"status": 201, "body": {"taken": input_data.body["id"]}}
