config = {
    "type": "api",
    "name": "Profile",
    "path": "/users/:user_id/files/:fileName",
    "method": "GET",
    "emits": [],
}


async def handler(req, context):
    params = req["pathParams"]
    return {"status": 200, "body": {"user": params["user_id"], "file": params["fileName"]}}
