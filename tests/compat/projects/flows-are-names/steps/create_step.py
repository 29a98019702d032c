config = {
    "type": "api",
    "name": "Create",
    "path": "/create",
    "method": "POST",
    "emits": ["created", {"topic": "rejected", "label": "If invalid", "conditional": True}],
    "flows": ["orders", "audit"],
}


async def handler(req, context):
    await context.emit({"topic": "rejected", "data": {}})
    return {"status": 202, "body": {"ok": True}}
