from motia import cron, http, queue

config = {
    "name": "Seen",
    "triggers": [http("GET", "/seen/:id"), queue("seen"), cron("0 0 9 * * *")],
    "flows": ["a flow"],
}


async def handler(input_data, ctx):
    trigger = ctx.trigger
    told = {
        "type": trigger.type,
        "index": trigger.index,
        "place": [trigger.method, trigger.path, trigger.topic, trigger.expression],
        "is": [ctx.is_api(), ctx.is_queue(), ctx.is_cron(), ctx.is_state(), ctx.is_stream()],
        "data": ctx.get_data(),
    }
    ctx.logger.info("seen", told)
    return {"status": 200, "body": told}
