config = {"type": "api", "name": "Post", "path": "/thing", "method": "POST", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Post"}}
