config = {
    "type": "api",
    "name": "Place",
    "path": "/orders",
    "method": "POST",
    "emits": ["order.placed"],
    "flows": ["web"],
}


async def handler(req, context):
    await context.emit({"topic": "order.placed", "data": req["body"]})
    return {"status": 202, "body": {"ok": True}}
