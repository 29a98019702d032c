config = {"type": "api", "name": "Page", "path": "/page", "method": "GET", "emits": []}


async def handler(req, context):
    await context.state.set("pages", "1", {"data": [1, 2], "next": "2"})
    page = await context.state.get("pages", "1")
    return {"status": 200, "body": {"data": page["data"], "next": page.get("next")}}
