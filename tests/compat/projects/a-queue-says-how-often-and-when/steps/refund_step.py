from motia import queue

config = {
    "name": "Refund",
    "triggers": [queue("order.made", config={"maxRetries": 0})],
    "enqueues": [],
}


async def handler(input_data, ctx):
    raise RuntimeError("the gateway is away")
