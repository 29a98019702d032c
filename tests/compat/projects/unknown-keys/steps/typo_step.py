config = {
    "type": "api",
    "name": "Typo",
    "path": "/typo",
    "method": "GET",
    "emits": [],
    "responseSchemas": {},
}


async def handler(req, context):
    return {"status": 200, "body": {"ok": True}}
