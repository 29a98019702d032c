config = {"type": "webhook", "name": "Odd"}


async def handler(req, context):
    return {"status": 200}
