config = {
    "type": "api",
    "name": "ListOrders",
    "path": "/orders",
    "method": "GET",
    "emits": [],
    "queryParams": [
        {"name": "status", "description": "Only those"},
        {"name": "page", "description": "From 1"},
    ],
}


async def handler(req, context):
    return {"status": 200, "body": req["queryParams"]}
