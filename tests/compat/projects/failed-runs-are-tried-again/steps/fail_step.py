from motia import http, logger, queue

config = {"name": "Fail", "triggers": [queue("fail"), http("GET", "/fail")]}


async def handler(input_data, ctx):
    logger.info("tried")
    raise ValueError("no")
