config = {
    "type": "api",
    "name": "Source",
    "path": "/source",
    "method": "POST",
    "emits": ["real"],
    "virtualEmits": ["drawn"],
    "flows": ["f"],
}


async def handler(req, context):
    await context.emit({"topic": "drawn", "data": {}})
    await context.emit({"topic": "real", "data": {}})
    return {"status": 202, "body": {"ok": True}}
