from motia import logger, queue
from pydantic import BaseModel


class Order(BaseModel):
    id: str
    amount: float


config = {
    "name": "Charge",
    "triggers": [queue("order.made", input=Order, config={"maxRetries": 0})],
    "enqueues": [],
}


async def handler(input_data, ctx):
    logger.info("Charging", {"type": type(input_data).__name__, "amount": input_data.amount})
