config = {"type": "api", "name": "Fail", "path": "/fail", "method": "GET", "emits": []}


async def handler(req, context):
    context.logger.info("about to fail")
    raise ValueError("secret detail")
