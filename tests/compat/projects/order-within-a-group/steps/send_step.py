config = {
    "type": "api",
    "name": "SendAll",
    "path": "/send",
    "method": "POST",
    "emits": ["account.changed"],
}


async def handler(req, context):
    for number in range(6):
        await context.emit(
            {
                "topic": "account.changed",
                "data": {"account": f"a{number % 2}", "number": number},
                "messageGroupId": f"a{number % 2}",
            }
        )
    return {"status": 202, "body": {"ok": True}}
