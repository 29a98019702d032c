config = {"type": "api", "name": "Clear", "path": "/clear", "method": "POST", "emits": []}


async def handler(req, context):
    state = context.state
    for group in ("orders", "orders-old"):
        await state.set(group, "1", group)
        await state.set(group, "2", group)
    cleared = await state.clear("orders")
    groups = [await state.get_group("orders"), await state.get_group("orders-old")]
    return {"status": 200, "body": {"cleared": cleared, "groups": groups}}
