from motia import http


def is_ok(request, ctx):
    return request.body["ok"] and request.headers["x-ok"] == "1"


config = {"name": "Python", "triggers": [http("POST", "/python", condition=is_ok)]}


async def handler(request):
    return {"status": 200, "body": ["ran"]}
