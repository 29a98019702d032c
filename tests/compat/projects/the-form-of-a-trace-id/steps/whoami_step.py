config = {"type": "api", "name": "WhoAmI", "path": "/whoami", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"traceId": context.trace_id}}
