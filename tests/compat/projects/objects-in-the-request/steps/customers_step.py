from src.store import with_store

config = {
    "type": "api",
    "name": "Customers",
    "path": "/customers/:id",
    "method": "GET",
    "emits": [],
    "middleware": [with_store],
}


async def handler(req, ctx=None):
    store = req["store"]
    return {"status": 200, "body": store.find(req.get("pathParams", {}).get("id"))}
