config = {"type": "event", "name": "counter", "subscribes": ["x"]}
count = 0


async def handler(data, context):
    global count
    count += 1
    return count
