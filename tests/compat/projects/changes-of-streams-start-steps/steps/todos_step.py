from motia import Stream, http

todos = Stream("todo")
config = {"name": "Todos", "triggers": [http("POST", "/todos")]}


async def handler(request, ctx):
    await todos.set("inbox", "1", {"text": "a"})
    await todos.set("inbox", "1", {"text": "b"})
    await todos.delete("inbox", "1")
    await todos.send({"groupId": "inbox", "id": "1"}, {"type": "typing", "data": {"user": "ann"}})
    await todos.set("done", "2", {"text": "z"})
    await todos.set("done", "3", {"text": "y"})
    return {"status": 200, "body": {}}
