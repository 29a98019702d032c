config = {"type": "event", "name": "Hear", "subscribes": ["echoed"], "emits": []}


async def handler(payload, /, flow):
    await flow.state.set("heard", "last", payload)
