from motia import http, step


async def whole(request, ctx):
    return {"status": 200, "body": ["whole"]}


config = step({"name": "Whole", "triggers": [http("GET", "/whole")]}, whole)
