config = {"type": "api", "name": "Audit", "path": "/audit/:id", "method": "POST", "emits": []}


async def handler(req, context):
    found = {}
    for name in ("method", "path", "path_params", "query_params", "raw_body", "body"):
        found[name] = getattr(req, name, "missing")
    found["key"] = req.get("path_params")
    return {"status": 200, "body": found}
