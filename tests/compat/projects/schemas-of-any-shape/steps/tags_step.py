config = {
    "type": "api",
    "name": "Tags",
    "path": "/tags",
    "method": "PUT",
    "emits": [],
    "bodySchema": {"type": "array", "items": {"type": "string"}},
    "responseSchema": {200: {"type": "object", "additionalProperties": {"type": "number"}}},
}


async def handler(req, context):
    return {"status": 200, "body": dict.fromkeys(req["body"], 1)}
