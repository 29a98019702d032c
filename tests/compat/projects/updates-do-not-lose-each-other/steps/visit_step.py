from motia import queue, state_manager

config = {"name": "Visit", "triggers": [queue("visit")]}


async def handler(input_data, ctx):
    await state_manager.update("pages", "home", [{"type": "increment", "path": "visits", "by": 1}])
