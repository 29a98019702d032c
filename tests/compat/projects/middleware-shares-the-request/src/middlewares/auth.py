async def auth_required(req, context, next_fn):
    token = req["headers"].get("authorization", "")
    if not token.startswith("Bearer "):
        return {"status": 401, "body": {"error": "Unauthorized"}}
    req["user"] = {"id": token.removeprefix("Bearer ")}
    return await next_fn()


async def add_tenant(req, context, next_fn):
    req["tenant"] = f"tenant-of-{req['user']['id']}"
    return await next_fn()
