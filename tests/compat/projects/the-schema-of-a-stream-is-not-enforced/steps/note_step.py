config = {"type": "api", "name": "Note", "path": "/note", "method": "POST", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": await context.streams.notes.set("all", "1", {"text": 5})}
