config = {"type": "api", "name": "Head", "path": "/head", "method": "HEAD", "emits": []}


async def handler(req, context):
    return {"status": 200, "headers": {"X-Step": "Head"}}
