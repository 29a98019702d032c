from motia import http, logger, multi_trigger_step, queue


async def on_http(request, ctx):
    return {"status": 200, "body": ["http"]}


async def on_queue(input_data, ctx):
    logger.info("queue", {"data": input_data})


dual = multi_trigger_step({"name": "Dual", "triggers": [http("GET", "/dual"), queue("dual")]})
config, handler = dual.handlers({"http": on_http, "queue": on_queue})
