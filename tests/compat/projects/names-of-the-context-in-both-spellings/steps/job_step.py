config = {"type": "event", "name": "Job", "subscribes": ["job"], "emits": []}


async def handler(input_data, context):
    await context.state.set("job", "ids", {"same": context.traceId == context.trace_id})
    if context.attempt < 2:
        raise RuntimeError("again")
    await context.state.set(
        "job",
        "run",
        {"attempt": context.attempt, "of": context.max_attempts, "topic": context.topic},
    )
