config = {"type": "event", "name": "Delete", "subscribes": ["todo.deleted"], "emits": []}


async def handler(input, context):
    await context.streams.todos.delete("inbox", "missing")
    await context.streams.todos.set("inbox", "t1", {"text": "after"})
