config = {
    "type": "api",
    "name": "Search",
    "path": "/search",
    "method": "GET",
    "emits": [],
    "flows": ["search"],
}


async def handler(req, context):
    return {"status": 200, "body": req["queryParams"]}
