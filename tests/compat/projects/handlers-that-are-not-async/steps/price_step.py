config = {"type": "api", "name": "Price", "path": "/price", "method": "GET", "emits": ["priced"]}


def handler(req, context):
    context.state.set("prices", "lamp", {"price": 5})
    context.emit({"topic": "priced", "data": {"sku": "lamp"}})
    return {"status": 200, "body": {"price": context.state.get("prices", "lamp")["price"]}}
