config = {"type": "api", "name": "Kind", "path": "/(cats|dogs)/all", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Kind", **req["pathParams"]}}
