import threading


class Store:
    def __init__(self, tenant):
        self.tenant = tenant
        self.lock = threading.Lock()

    def find(self, id):
        with self.lock:
            return {"id": id, "tenant": self.tenant}


async def with_store(req, ctx, next_fn):
    headers = req.get("headers", {})
    req["store"] = Store(headers.get("x-tenant", "none"))
    return await next_fn()
