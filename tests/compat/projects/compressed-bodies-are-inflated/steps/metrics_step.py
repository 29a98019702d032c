config = {"type": "api", "name": "Metrics", "path": "/ingest", "method": "POST", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"body": req["body"], "raw": req["rawBody"]}}
