config = {
    "type": "api",
    "name": "Values",
    "path": "/values/:kind",
    "method": "GET",
    "emits": [],
}

VALUES = {
    "object": {"id": 1, "name": "é", "none": None},
    "array": [1, "two", {"three": 3}],
    "number": 12.5,
    "bool": False,
    "empty": {},
}


async def handler(req, context):
    return {"status": 200, "body": VALUES[req["pathParams"]["kind"]]}
