config = {
    "type": "api",
    "name": "Ask",
    "path": "/ask",
    "method": "POST",
    "emits": [],
    "virtualEmits": ["approval.asked"],
    "flows": ["approvals"],
}


async def handler(req, context):
    await context.emit({"topic": "approval.asked", "data": {}})
    return {"status": 202, "body": {"ok": True}}
