config = {"type": "event", "name": "Job", "subscribes": ["job"], "emits": []}


async def handler(input_data, context):
    await context.state.set("job", "ids", {"same": context.traceId == context.trace_id})
    if context.attempt < 2:
        raise RuntimeError("again")
    told = {"attempt": context.attempt, "of": context.max_attempts, "topic": context.topic}
    await context.state.set("job", "run", {**told, "id": context.run_id})
