config = {"type": "api", "name": "DeleteTodo", "path": "/todo", "method": "DELETE", "emits": []}


async def handler(req, context):
    todos = context.streams.todos
    await todos.set("inbox", "t1", {"text": "a"})
    deleted = await todos.delete("inbox", "t1")
    again = await todos.delete("inbox", "t1")
    left = await todos.get("inbox", "t1")
    return {"status": 200, "body": {"deleted": deleted, "again": again, "left": left}}
