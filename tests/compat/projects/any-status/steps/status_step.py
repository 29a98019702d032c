config = {"type": "api", "name": "Status", "path": "/status/:code", "method": "GET", "emits": []}


async def handler(req, context):
    code = int(req["pathParams"]["code"])
    if code == 302:
        return {"status": code, "headers": {"Location": "/elsewhere"}}
    return {"status": code, "body": {"code": code}}
