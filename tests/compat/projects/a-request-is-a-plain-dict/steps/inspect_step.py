import copy
import json

config = {"type": "api", "name": "Inspect", "path": "/inspect/:id", "method": "POST", "emits": []}


def summary(**parts):
    return sorted(parts)


async def handler(req, context):
    duplicate = copy.deepcopy(req)
    req["user"] = {"id": 7}
    body, headers = req.get("body", {}), req.get("headers")
    return {
        "status": 200,
        "body": {
            "is_dict": isinstance(req, dict),
            "keys": sorted(duplicate),
            "json": json.loads(json.dumps(duplicate))["body"],
            "unpacked": summary(**duplicate),
            "merged": {**req, "headers": None},
            "has_files": "files" in req,
            "missing": req.get("cookies", "none"),
            "id": body.get("id"),
            "typed": headers["content-type"],
        },
    }
