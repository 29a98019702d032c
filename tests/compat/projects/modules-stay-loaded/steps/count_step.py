from motia import http

config = {"name": "Count", "triggers": [http("GET", "/count")]}

calls = []


async def handler(request, ctx):
    calls.append(1)
    return {"status": 200, "body": len(calls)}
