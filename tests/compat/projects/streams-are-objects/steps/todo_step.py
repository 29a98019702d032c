from typing import Any

from motia import Stream, http

todos: Stream[dict[str, Any]] = Stream("todos")

config = {"name": "Todo", "triggers": [http("POST", "/todos")]}


async def handler(request, ctx):
    made = await todos.set("inbox", "1", {"text": "a", "count": 1})
    changed = await todos.set("inbox", "1", {"text": "b", "count": 1})
    await todos.set("done", "2", {"text": "z"})
    updated = await todos.update("inbox", "1", [{"type": "increment", "path": "count", "by": 4}])
    found = await todos.get("inbox", "1")
    listed = await todos.list("inbox")
    same = await todos.get_group("inbox")
    groups = await todos.list_groups()
    await todos.delete("inbox", "1")
    missing = await todos.get("inbox", "1")
    return {
        "status": 200,
        "body": {
            "made": [made["old_value"], made["new_value"]["text"]],
            "changed": [changed["old_value"]["text"], changed["new_value"]["text"]],
            "updated": [updated["old_value"]["count"], updated["new_value"]["count"]],
            "found": [found["id"], found["count"]],
            "listed": [item["text"] for item in listed],
            "same": listed == same,
            "groups": sorted(groups),
            "missing": missing,
        },
    }
