config = {"type": "api", "name": "ListTodos", "path": "/todos", "method": "GET", "emits": []}


async def handler(req, context):
    todos = context.streams.todos
    for name in ("c", "a", "b"):
        await todos.set("inbox", name, {"text": name})
    await todos.set("done", "z", {"text": "z"})
    snake = await todos.get_group("inbox")
    camel = await todos.getGroup("inbox")
    empty = await todos.get_group("none")
    return {"status": 200, "body": {"snake": snake, "camel": camel, "empty": empty}}
