config = {
    "type": "api",
    "name": "Shout",
    "path": "/shout",
    "method": "POST",
    "emits": ["shouted.into.the.void"],
}


async def handler(req, context):
    await context.emit({"topic": "shouted.into.the.void", "data": req["body"]})
    return {"status": 200, "body": {"ok": True}}
