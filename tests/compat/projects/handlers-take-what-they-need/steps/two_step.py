from motia import http

config = {"name": "Two", "triggers": [http("POST", "/two")]}


async def handler(request, ctx):
    return {"status": 200, "body": {"two": ctx.get_data()}}
