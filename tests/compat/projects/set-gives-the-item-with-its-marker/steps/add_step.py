config = {"type": "api", "name": "AddTodo", "path": "/todos", "method": "POST", "emits": []}


async def handler(req, context):
    added = await context.streams.todos.set("inbox", req["body"]["id"], req["body"])
    return {"status": 200, "body": added}
