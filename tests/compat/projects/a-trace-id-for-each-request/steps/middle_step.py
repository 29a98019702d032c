config = {"type": "event", "name": "Middle", "subscribes": ["started"], "emits": ["ended"]}


async def handler(input_data, context):
    await context.emit({"topic": "ended", "data": {"middle": context.trace_id}})
