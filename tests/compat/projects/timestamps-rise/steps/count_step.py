config = {"type": "event", "name": "Count", "subscribes": ["count"], "emits": []}


async def handler(input, context):
    for number in range(input["to"]):
        await context.streams.chat.set("lobby", "m1", {"text": str(number)})
    await context.streams.chat.delete("lobby", "m1")
    await context.streams.chat.delete("lobby", "m1")
