config = {"type": "api", "name": "Ping", "path": "/ping", "method": "GET", "emits": []}


async def handler():
    return {"status": 200, "body": {"pong": True}}
