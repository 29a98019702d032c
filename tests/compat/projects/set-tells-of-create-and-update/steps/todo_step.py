config = {"type": "event", "name": "Todo", "subscribes": ["todo"], "emits": []}


async def handler(input, context):
    todos = context.streams.todos
    await todos.set("inbox", "t1", {"text": "a"})
    await todos.set("inbox", "t1", {"text": "b"})
    await todos.delete("inbox", "t1")
    await todos.set("inbox", "t1", {"text": "c"})
