config = {"type": "api", "name": "Classic", "method": "GET", "path": "/classic", "emits": []}


async def handler(req, context):
    await req.response.headers({"content-type": "text/plain"})
    for word in ("a", "b"):
        await req.response.stream.write(word)
