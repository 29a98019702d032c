from src.middlewares.auth import add_tenant, auth_required

config = {
    "type": "api",
    "name": "Profile",
    "path": "/profile",
    "method": "GET",
    "emits": [],
    "middleware": [auth_required, add_tenant],
}


async def handler(req, context):
    return {"status": 200, "body": {"user": req["user"], "tenant": req.get("tenant")}}
