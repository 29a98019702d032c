from typing import Any

from motia import ApiRequest, http

config = {"name": "Show", "triggers": [http("POST", "/show/:id")]}


async def handler(request: ApiRequest[dict[str, Any]]):
    told = {
        "body": request.body,
        "path_params": request.path_params,
        "query_params": request.query_params,
        "header": request.headers["x-own"],
        "method": request.method,
    }
    return {"status": 200, "body": told}
