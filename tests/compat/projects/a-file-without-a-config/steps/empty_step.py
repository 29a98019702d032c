async def handler(req, context):
    return {"status": 200}
