from motia import Stream, enqueue, http, stateManager

notes = Stream("notes")
config = {"name": "Count", "triggers": [http("POST", "/count")], "enqueues": ["counted"]}


async def handler(request, ctx):
    count = stateManager.get("counts", "all") or 0
    stateManager.set("counts", "all", count + 1)
    awaited = await stateManager.get("counts", "all")
    note = notes.set("all", "1", {"count": awaited})["new_value"]
    found = await notes.get("all", "1")
    enqueue({"topic": "counted", "data": {"count": found["count"]}})
    return {"status": 200, "body": [count, awaited, note["count"], found["count"]]}
