from motia import enqueue, queue

config = {"name": "Make", "triggers": [queue("make")], "enqueues": ["change"]}


async def handler(input_data, ctx):
    for number in range(6):
        await enqueue({"topic": "change", "data": number, "messageGroupId": f"g{number % 2}"})
