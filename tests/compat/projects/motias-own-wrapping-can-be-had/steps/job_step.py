config = {"type": "api", "name": "Job", "path": "/job", "method": "GET", "emits": []}


async def handler(req, context):
    await context.state.set("jobs", "1", {"total": 3})
    found = await context.state.get("jobs", "1")
    missing = await context.state.get("jobs", "none")
    return {"status": 200, "body": [found, missing, bool(missing)]}
