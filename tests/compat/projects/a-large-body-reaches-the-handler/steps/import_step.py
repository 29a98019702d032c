config = {
    "type": "api",
    "name": "ImportProducts",
    "path": "/import",
    "method": "POST",
    "emits": ["products.imported"],
}


async def handler(req, context):
    await context.emit({"topic": "products.imported", "data": req["body"]})
    return {"status": 202, "body": {"products": len(req["body"]["products"])}}
