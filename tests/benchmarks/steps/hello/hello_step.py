from typing import Any

config = {"type": "api", "name": "hello", "method": "GET", "path": "/hello/:name", "emits": []}


async def handler(req: Any, context: Any) -> dict[str, Any]:
    return {"status": 200, "body": {"hello": req.path_params["name"]}}
