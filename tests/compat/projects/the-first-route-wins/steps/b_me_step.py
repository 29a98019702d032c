config = {"type": "api", "name": "Me", "path": "/users/me", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Me"}}
