from motia import http, state_manager

config = {"name": "Update", "triggers": [http("POST", "/update")]}


async def handler(request, ctx):
    await state_manager.set("counters", "a", {"count": 1, "name": "a"})
    try:
        await state_manager.update(
            "counters",
            "a",
            [
                {"type": "increment", "path": "count", "by": 1},
                {"type": "increment", "path": "name", "by": 1},
            ],
        )
    except Exception as error:
        told = type(error).__name__
    return {"status": 200, "body": [told, await state_manager.get("counters", "a")]}
