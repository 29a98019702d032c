config = {"type": "api", "name": "SrcUnderscored", "path": "/:other", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"step": "SrcUnderscored"}}
