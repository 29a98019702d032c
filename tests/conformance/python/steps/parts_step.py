import asyncio

config = {
    "name": "parts",
    "triggers": [{"type": "http", "method": "GET", "path": "/parts"}],
}


async def handler(args, context):
    await args.response.status(201)
    await args.response.headers({"x-own": "1"})
    await args.response.stream.write("a")
    await args.response.stream.write(b"b")
    while args.request.body.get("forever"):
        args.response.stream.write("c")
        await asyncio.sleep(0.01)
