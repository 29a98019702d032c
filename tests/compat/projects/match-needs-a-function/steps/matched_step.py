from motia import queue

config = {"name": "Matched", "triggers": [queue("matched", config={"maxRetries": 0})]}


async def handler(input_data, ctx):
    return await ctx.match({"http": lambda request: None})
