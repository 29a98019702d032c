from motia import cron, http, logger, queue

config = {
    "name": "Matched",
    "triggers": [http("GET", "/matched"), queue("matched"), cron("0 0 9 * * *")],
}


async def on_http(request):
    return {"status": 200, "body": {"name": request.query_params.get("name")}}


async def on_queue(input_data):
    logger.info("queue", {"data": input_data})


async def on_other(input_data):
    logger.info("default", {"data": input_data})


async def handler(input_data, ctx):
    return await ctx.match({"http": on_http, "queue": on_queue, "default": on_other})
