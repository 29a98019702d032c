config = {"type": "api", "name": "Task", "path": "/task", "method": "POST", "emits": []}


async def handler(req, context):
    await context.streams["daily-tasks"].set("monday", "1", {"text": "water"})
    await context.streams["notes"].set("monday", "1", {"text": "sunny"})
    note = await context.streams.notes.get("monday", "1")
    task = await getattr(context.streams, "daily-tasks").get("monday", "1")
    return {"status": 200, "body": [task["text"], note["text"]]}
