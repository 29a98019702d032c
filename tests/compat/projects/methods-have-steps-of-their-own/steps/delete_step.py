config = {"type": "api", "name": "Delete", "path": "/thing", "method": "DELETE", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Delete"}}
