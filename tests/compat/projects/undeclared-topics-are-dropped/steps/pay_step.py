config = {
    "type": "api",
    "name": "Pay",
    "path": "/pay",
    "method": "POST",
    "emits": ["payment.done"],
}


async def handler(req, context):
    await context.emit({"topic": "payment.secret", "data": {"n": 1}})
    await context.emit({"topic": "payment.done", "data": {"n": 2}})
    return {"status": 200, "body": {"ok": True}}
