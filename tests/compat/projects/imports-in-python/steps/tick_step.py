from steps.shared.clock import now

from ..lib.units import UNIT

config = {"type": "event", "name": "Tick", "subscribes": ["tick"], "emits": []}


async def handler(input_data, context):
    context.logger.info(now() + UNIT)
