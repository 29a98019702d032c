import time
from pathlib import Path

config = {"type": "api", "name": "Wait", "path": "/wait", "method": "POST", "emits": []}


async def handler(req, context):
    folder = Path(req["body"]["folder"])
    (folder / "begun").touch()
    deadline = time.monotonic() + req["body"]["seconds"]
    while time.monotonic() < deadline and not (folder / "told").exists():
        time.sleep(0.01)
    return {"status": 200, "body": {"heard": (folder / "told").exists()}}
