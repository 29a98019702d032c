import asyncio
from pathlib import Path

config = {"type": "api", "name": "Tell", "path": "/tell", "method": "POST", "emits": []}


async def handler(req, context):
    folder = Path(req["body"]["folder"])
    while not (folder / "begun").exists():
        await asyncio.sleep(0.01)
    (folder / "told").touch()
    return {"status": 200, "body": {"ok": True}}
