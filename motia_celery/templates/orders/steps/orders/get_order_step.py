"""GET /orders/:id: what became of an order."""

config = {
    "type": "api",
    "name": "get-order",
    "description": "Shows an order",
    "method": "GET",
    "path": "/orders/:id",
    "emits": [],
    "flows": ["orders"],
}


async def handler(req, context):
    order = await context.state.get("orders", req["pathParams"]["id"])
    if not order:
        return {"status": 404, "body": {"error": "There is no such order"}}
    return {"status": 200, "body": order}
