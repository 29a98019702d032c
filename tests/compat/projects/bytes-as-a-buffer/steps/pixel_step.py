PIXEL = b"GIF89a\x01\x00\xff"

config = {"type": "api", "name": "Pixel", "path": "/pixel.gif", "method": "GET", "emits": []}


async def handler(req, context):
    headers = {"Content-Type": "image/gif"} if req["queryParams"].get("typed") else {}
    return {"status": 200, "body": {"type": "Buffer", "data": list(PIXEL)}, "headers": headers}
