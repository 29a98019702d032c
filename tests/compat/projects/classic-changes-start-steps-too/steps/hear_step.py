from motia import logger, state, stream

config = {"name": "Hear", "triggers": [state(), stream("notes")]}


async def handler(input_data, ctx):
    logger.info(ctx.trigger.type, {"new": input_data.get("new_value")})
