config = {"type": "api", "name": "Show", "path": "/orders", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": await context.state.get_group("orders")}
