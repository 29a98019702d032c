from .prices import price

config = {"type": "api", "name": "Create", "path": "/create", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"price": price()}}
