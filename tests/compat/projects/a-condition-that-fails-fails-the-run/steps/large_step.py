from motia import queue


def is_large(input_data, ctx):
    return input_data["amount"] > 100


config = {"name": "Large", "triggers": [queue("order.made", condition=is_large)], "enqueues": []}


async def handler(input_data, ctx):
    pass
