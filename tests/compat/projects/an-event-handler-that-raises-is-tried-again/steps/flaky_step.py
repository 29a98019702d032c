config = {"type": "event", "name": "Flaky", "subscribes": ["flaky.start"], "emits": []}


async def handler(input_data, context):
    tries = await context.state.get("tries", input_data["id"])
    count = (tries.get("count", 0) if isinstance(tries, dict) else 0) + 1
    await context.state.set("tries", input_data["id"], {"count": count})
    if count < input_data["succeeds_at"]:
        raise RuntimeError(f"try {count} failed")
