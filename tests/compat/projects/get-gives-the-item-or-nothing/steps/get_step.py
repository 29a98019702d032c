config = {"type": "api", "name": "GetTodo", "path": "/todo", "method": "GET", "emits": []}


async def handler(req, context):
    todos = context.streams["todos"]
    await todos.set("inbox", "t1", {"text": "a"})
    found = await todos.get("inbox", "t1")
    nothing = [await todos.get("inbox", "t2"), await todos.get("other", "t1")]
    return {"status": 200, "body": {"found": found, "nothing": nothing}}
