config = {"type": "api", "name": "Job", "path": "/job", "method": "GET", "emits": []}


async def handler(req, context):
    missing = await context.state.get("jobs", "none")
    answer = {"data": missing["data"], "get": missing.get("data"), "truth": bool(missing)}
    await context.state.set("jobs", "1", None)
    emptied = await context.state.get("jobs", "1")
    return {"status": 200, "body": {**answer, "emptied": emptied.get("data")}}
