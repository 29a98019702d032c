from motia import http, step


async def hello(request, ctx):
    return {"status": 200, "body": ["hello"]}


config, handler = step({"name": "Hello", "triggers": [http("GET", "/hello")]}, hello)
