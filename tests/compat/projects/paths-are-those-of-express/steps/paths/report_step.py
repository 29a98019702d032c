config = {
    "type": "api",
    "name": "Report",
    "path": "/reports/:year-:month.:format",
    "method": "GET",
    "emits": [],
}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Report", **req["pathParams"]}}
