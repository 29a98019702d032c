config = {
    "type": "api",
    "name": "Bad",
    "path": "/bad",
    "method": "GET",
    "emits": [{"label": "no topic"}],
    "flows": "orders",
}


async def handler(req, context):
    return {"status": 200, "body": {"ok": True}}
