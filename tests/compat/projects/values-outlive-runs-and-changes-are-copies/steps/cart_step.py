config = {"type": "api", "name": "Cart", "path": "/cart", "method": "POST", "emits": []}


async def handler(req, context):
    cart = await context.state.get("carts", "ann")
    items = cart["items"] if cart else []
    items.append(req["body"]["item"])  # changes nothing that is stored
    if req["body"].get("keep"):
        await context.state.set("carts", "ann", {"items": items})
    return {"status": 200, "body": items}
