import asyncio
import json
from typing import Any

from motia import MotiaHttpArgs, http, logger

config = {
    "name": "SSE Example",
    "description": "Streams items back as SSE",
    "flows": ["sse-example"],
    "triggers": [http("POST", "/sse")],
    "enqueues": [],
}


async def handler(args: MotiaHttpArgs[Any]) -> None:
    response = args.response
    logger.info("Data received", {"type": args.request.headers.get("content-type")})
    await response.status(201)
    await response.headers({"content-type": "text/event-stream", "cache-control": "no-cache"})
    for item in args.request.body["items"]:
        response.writer.stream.write(f"event: item\ndata: {json.dumps(item)}\n\n".encode())
        await asyncio.sleep(0)
    response.writer.stream.write(b"event: done\n\n")
    response.close()
