from motia import http

config = {"name": "Notes", "triggers": [http("GET", "/notes")]}


async def handler(request, ctx):
    return {"status": 200, "body": []}
