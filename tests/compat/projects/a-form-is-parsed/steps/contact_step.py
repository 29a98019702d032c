config = {"type": "api", "name": "Contact", "path": "/contact", "method": "POST", "emits": []}


async def handler(req, context):
    form = req["body"]
    return {
        "status": 200,
        "body": {"name": form["name"], "tags": form["tags"], "city": form["address"]["city"]},
    }
