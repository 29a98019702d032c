config = {
    "type": "api",
    "name": "Invoice",
    "path": "/invoices/:number(\\d+)",
    "method": "GET",
    "emits": [],
}


async def handler(req, context):
    return {"status": 200, "body": {"step": "Invoice", **req["pathParams"]}}
