config = {"type": "cron", "name": "Tick", "cron": "* * * * *", "emits": ["ticked"]}


async def handler(context):
    await context.emit({"topic": "ticked", "data": {"from": context.trace_id}})
