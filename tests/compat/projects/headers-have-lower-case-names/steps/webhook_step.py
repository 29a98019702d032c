config = {"type": "api", "name": "Webhook", "path": "/webhook", "method": "POST", "emits": []}


async def handler(req, context):
    headers = req["headers"]
    return {
        "status": 200,
        "body": {
            "signature": headers.get("x-hub-signature"),
            "original": headers.get("X-Hub-Signature"),
            "tags": headers["x-tag"],
            "cookie": headers["cookie"],
            "type": headers["content-type"],
            "set": headers["set-cookie"],
        },
    }
