config = {"type": "api", "name": "Bulk", "path": "/bulk", "method": "POST", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"count": len(req["body"]), "first": req["body"][0]["sku"]}}
