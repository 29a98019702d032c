from typing import Any

config = {
    "type": "api",
    "name": "create",
    "method": "POST",
    "path": "/orders",
    "emits": ["first"],
}


async def handler(req: Any, context: Any) -> dict[str, Any]:
    await context.emit(topic="first", data=req.body)
    return {"status": 200, "body": {"id": req.body["id"]}}
