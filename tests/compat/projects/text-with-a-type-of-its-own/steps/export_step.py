import json

config = {"type": "api", "name": "Export", "path": "/export/:format", "method": "GET", "emits": []}

ROWS = [{"sku": "a", "price": 1}]


async def handler(req, context):
    if req["pathParams"]["format"] == "csv":
        headers = {
            "Content-Type": "text/csv",
            "Content-Disposition": 'attachment; filename="x.csv"',
        }
        return {"status": 200, "headers": headers, "body": "sku,price\na,1\n"}
    headers = {"content-type": "application/json"}
    return {"status": 200, "headers": headers, "body": json.dumps(ROWS)}
