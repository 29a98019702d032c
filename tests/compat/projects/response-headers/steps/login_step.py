config = {"type": "api", "name": "Login", "path": "/login", "method": "POST", "emits": []}


async def handler(req, context):
    return {
        "status": 200,
        "body": {"ok": True},
        "headers": {
            "Set-Cookie": ["session=1; HttpOnly", "theme=dark"],
            "X-Request-Count": 7,
            "Cache-Control": "no-store",
        },
    }
