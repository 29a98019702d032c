from motia import ApiResponse, http

config = {"name": "Results", "triggers": [http("GET", "/results/:kind")]}

RESULTS = {
    "status": {"status": 201, "body": {"ok": True}},
    "status_code": {"status_code": 202, "body": {"ok": True}},
    "none": {"body": {"ok": True}},
    "response": ApiResponse(status=203, body={"ok": True}, headers={"x-own": "1"}),
    "empty": {"status": 204},
    "bytes": {"status": 200, "body": b"\x00\x01", "headers": {"content-type": "image/x-own"}},
}


async def handler(request, ctx):
    return RESULTS[request.path_params["kind"]]
