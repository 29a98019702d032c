calls = []

config = {"type": "api", "name": "Count", "path": "/count", "method": "GET", "emits": []}


async def handler(req, context):
    calls.append(1)
    return {"status": 200, "body": {"calls": len(calls)}}
