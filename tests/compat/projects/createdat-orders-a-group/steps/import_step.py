config = {"type": "api", "name": "ImportNotes", "path": "/notes", "method": "POST", "emits": []}


async def handler(req, context):
    notes = context.streams.notes
    for note in req["body"]:
        await notes.set("all", note["id"], note)
    return {"status": 200, "body": [note["id"] for note in await notes.get_group("all")]}
