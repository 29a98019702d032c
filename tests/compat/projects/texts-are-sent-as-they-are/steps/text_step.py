from motia import http

config = {"name": "Text", "triggers": [http("GET", "/text")]}


async def handler(request, ctx):
    return {"status": 200, "body": "plain", "headers": {"content-type": "text/plain"}}
