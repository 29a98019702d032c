config = {"type": "event", "name": "GoOn", "subscribes": ["go.on"], "emits": []}


async def handler(input, context):
    counters = context.streams.counters
    counter = await counters.get("all", "visits")
    await counters.set("all", "visits", {"count": counter["count"] + 1})
