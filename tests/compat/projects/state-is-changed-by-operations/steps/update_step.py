from motia import http, state_manager

config = {"name": "Update", "triggers": [http("POST", "/update")]}


async def handler(request, ctx):
    results = []
    for ops in request.body:
        results.append(await state_manager.update("counters", "a", ops))
    return {"status": 200, "body": results}
