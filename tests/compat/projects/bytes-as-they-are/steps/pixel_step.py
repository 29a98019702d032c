PIXEL = b"GIF89a\x01\x00\xff"

config = {"type": "api", "name": "Pixel", "path": "/pixel.gif", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": PIXEL}
