from motia import http, state_manager

config = {"name": "Change", "triggers": [http("POST", "/users/:id")], "flows": ["state-example"]}


async def handler(request, ctx):
    user = request.path_params["id"]
    for change in request.body["changes"]:
        if change is None:
            await state_manager.delete("users", user)
        else:
            await state_manager.set("users", user, change)
    await state_manager.set("others", "x", 1)
    return {"status": 200, "body": {}}
