config = {"type": "event", "name": "Finish", "subscribes": ["work.begun"], "emits": []}


async def handler(input, context):
    context.logger.info("For", {"who": await context.state.get(context.trace_id, "who")})
    await context.state.clear(context.trace_id)
