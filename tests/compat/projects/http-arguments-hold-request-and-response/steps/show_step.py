from typing import Any

from motia import MotiaHttpArgs, http

config = {"name": "Show", "triggers": [http("POST", "/show/:id")]}


async def handler(args: MotiaHttpArgs[Any], ctx):
    request = args.request
    chunks = [chunk async for chunk in request.request_body.stream]
    return {
        "status": 200,
        "body": {
            "same": [args.body, args.path_params, args.method]
            == [request.body, request.path_params, request.method],
            "body": request.body,
            "raw": b"".join(chunks).decode(),
        },
    }
