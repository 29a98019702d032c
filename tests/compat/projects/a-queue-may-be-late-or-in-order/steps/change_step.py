import asyncio

from motia import logger, queue

config = {
    "name": "Change",
    "triggers": [queue("change", config={"type": "fifo"})],
    "enqueues": [],
}


async def handler(input_data, ctx):
    if input_data < 2:
        await asyncio.sleep(0.02)  # the first of a group takes longest
    logger.info("changed", {"number": input_data})
