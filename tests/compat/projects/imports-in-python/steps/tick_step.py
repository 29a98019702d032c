from steps.shared.clock import now

config = {"type": "event", "name": "Tick", "subscribes": ["tick"], "emits": []}


async def handler(input_data, context):
    context.logger.info(now())
