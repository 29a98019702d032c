from motia import http

config = {"name": "One", "triggers": [http("POST", "/one")]}


async def handler(request):
    return {"status": 200, "body": {"one": request.body}}
