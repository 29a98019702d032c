config = {
    "type": "api",
    "name": "Approved",
    "path": "/approved",
    "method": "GET",
    "emits": [],
    "virtualSubscribes": ["/approved"],
    "flows": ["approvals"],
}


async def handler(req, context):
    return {"status": 200, "body": {"ok": True}}
