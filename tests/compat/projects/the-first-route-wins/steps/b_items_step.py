config = {
    "type": "api",
    "name": "Items",
    "path": "/orders/:id/items",
    "method": "GET",
    "emits": [],
}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Items"}}
