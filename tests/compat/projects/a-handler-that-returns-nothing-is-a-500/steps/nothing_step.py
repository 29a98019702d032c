config = {"type": "api", "name": "Nothing", "path": "/nothing/:kind", "method": "GET", "emits": []}


async def handler(req, context):
    if req["pathParams"]["kind"] == "empty":
        return {}
    return None
