config = {
    "type": "api",
    "name": "Pay",
    "path": "/pay",
    "method": "POST",
    "bodySchema": {"amount": {"type": "number"}, "method": {"type": "string"}},
    "responseSchema": {200: {"ok": "boolean"}, 404: {"error": "string"}},
    "emits": [],
}


async def handler(req, context):
    return {"status": 200, "body": req["body"]}
