config = {
    "type": "api",
    "name": "DeleteOrder",
    "path": "/orders/:id",
    "method": "DELETE",
    "emits": [],
}


async def handler(req, context):
    key = req["pathParams"]["id"]
    await context.state.set("orders", key, ["a", "b"])
    first = await context.state.delete("orders", key)
    second = await context.state.delete("orders", key)
    return {"status": 200, "body": {"first": first, "second": second}}
