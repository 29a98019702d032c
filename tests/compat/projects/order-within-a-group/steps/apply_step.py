import asyncio

config = {
    "type": "event",
    "name": "Apply",
    "subscribes": ["account.changed"],
    "emits": [],
    "infrastructure": {"queue": {"type": "fifo"}},
}


async def handler(input_data, context):
    context.logger.info(f"begin {input_data['account']}", {"number": input_data["number"]})
    for _ in range(10 - input_data["number"]):
        await asyncio.sleep(0)
    context.logger.info(f"end {input_data['account']}", {"number": input_data["number"]})
