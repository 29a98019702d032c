config = {
    "type": "api",
    "name": "RequestCharge",
    "path": "/charges",
    "method": "POST",
    "emits": ["charge"],
}


async def handler(req, context):
    await context.emit({"topic": "charge", "data": req["body"]["data"]})
    return {"status": 202, "body": {"ok": True}}
