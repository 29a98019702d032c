config = {"type": "api", "name": "Note", "path": "/note", "method": "POST", "emits": []}


async def handler(req, context):
    note = await context.streams.notes.set("all", "1", {"text": "a"})
    return {"status": 200, "body": sorted(note)}
