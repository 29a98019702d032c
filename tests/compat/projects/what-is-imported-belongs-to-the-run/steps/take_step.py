from motia import http

from .services.orders import take

config = {
    "name": "Take",
    "triggers": [http("POST", "/orders")],
    "enqueues": ["order.taken"],
    "flows": ["orders"],
}


async def handler(request, ctx):
    await take(request.body)
    return {"status": 202, "body": {"trace": ctx.trace_id}}
