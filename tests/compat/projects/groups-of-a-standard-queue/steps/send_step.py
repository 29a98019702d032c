config = {
    "type": "api",
    "name": "SendAll",
    "path": "/send",
    "method": "POST",
    "emits": ["account.changed"],
}


async def handler(req, context):
    for number in range(4):
        await context.emit(
            {"topic": "account.changed", "data": {"number": number}, "messageGroupId": "a"}
        )
    return {"status": 202, "body": {"ok": True}}
