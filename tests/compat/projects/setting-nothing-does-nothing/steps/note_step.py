config = {"type": "api", "name": "Note", "path": "/note", "method": "POST", "emits": []}


async def handler(req, context):
    notes = context.streams.notes
    await notes.set("all", "1", {"text": "kept"})
    given = [await notes.set("all", "1", falsy) for falsy in (None, 0, False, "")]
    kept = await notes.get("all", "1")
    return {"status": 200, "body": {"given": given, "kept": kept["text"]}}
