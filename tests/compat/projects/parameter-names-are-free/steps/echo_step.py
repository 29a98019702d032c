config = {"type": "api", "name": "Echo", "path": "/echo", "method": "POST", "emits": ["echoed"]}


async def handler(r, _c):
    await _c.emit({"topic": "echoed", "data": r["body"]})
    return {"status": 200, "body": r["body"]}
