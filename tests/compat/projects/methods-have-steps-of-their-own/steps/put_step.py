config = {"type": "api", "name": "Put", "path": "/thing", "method": "PUT", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Put"}}
