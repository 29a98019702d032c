from motia import cron, http, logger, queue


def is_large(input_data, ctx):
    return input_data["amount"] > ctx.trigger.index * 100


async def is_friend(request, ctx):
    return request.headers.get("x-friend") == "yes"


config = {
    "name": "Large",
    "triggers": [
        http("GET", "/large", condition=is_friend),
        queue("order.made", condition=is_large),
        cron("0 * * * * *", condition=lambda input_data, ctx: False),
    ],
    "enqueues": [],
}


async def handler(input_data, ctx):
    logger.info("ran", {"by": ctx.trigger.type})
    return {"status": 200, "body": "ran"}
