config = {"type": "api", "name": "Finish", "path": "/finish", "method": "POST", "emits": []}


async def handler(req, context):
    todos = context.streams.todos
    await todos.set("inbox", "t1", {"text": "a"})
    todo = await todos.get("inbox", "t1")
    # The whole item, with its marker and its id, is set again, in another group too.
    await todos.set("inbox", "t1", {**todo, "done": True})
    moved = await todos.set("archive", "t9", todo)
    return {"status": 200, "body": moved}
