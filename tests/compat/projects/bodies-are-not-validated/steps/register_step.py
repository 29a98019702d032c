config = {
    "type": "api",
    "name": "Register",
    "path": "/register",
    "method": "POST",
    "emits": [],
    "bodySchema": {
        "type": "object",
        "properties": {
            "email": {"type": "string"},
            "address": {"type": "object", "properties": {"zip": {"type": "string"}}},
        },
        "required": ["email"],
    },
    "responseSchema": {
        200: {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
        "400": {"type": "object", "properties": {"error": {"type": "string"}}},
    },
}


async def handler(req, context):
    if "email" not in req["body"]:
        return {"status": 400, "body": {"problem": "Who are you?"}}
    return {"status": 200, "body": {"unexpected": req["body"]}}
