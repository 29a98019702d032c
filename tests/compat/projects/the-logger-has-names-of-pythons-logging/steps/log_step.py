import logging

config = {"type": "event", "name": "Log", "subscribes": ["log"], "emits": []}

library = logging.getLogger("payments.client")


async def handler(input_data, context):
    context.logger.warning("Slow", {"ms": 900})
    context.logger.log("Logged")
    library.warning("From %s", "a library")
    print("printed")
