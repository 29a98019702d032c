async def logged(input_data, context, next_fn):
    context.logger.info("before", {"id": input_data["id"]})
    return await next_fn()


config = {
    "type": "event",
    "name": "Heard",
    "subscribes": ["heard"],
    "emits": [],
    "middleware": [logged],
}


async def handler(input_data, context):
    context.logger.info("handler")
