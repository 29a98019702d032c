from motia import http, queue
from pydantic import BaseModel


class Order(BaseModel):
    id: str


async def pass_on(request, ctx, next):
    return await next()


config = {
    "name": "Made",
    "triggers": [
        http(
            "POST",
            "/orders",
            body_schema=Order,
            response_schema={201: Order, 400: {"type": "object", "properties": {}}},
            query_params=[{"name": "dry", "description": "Nothing is stored"}],
            middleware=[pass_on],
            condition=lambda request, ctx: True,
        ),
        queue("order.made", input=Order, config={"maxRetries": 7}, condition=None),
    ],
    "enqueues": [],
}


async def handler(input_data, ctx):
    return {"status": 201, "body": {"id": ctx.get_data()["id"]}}
