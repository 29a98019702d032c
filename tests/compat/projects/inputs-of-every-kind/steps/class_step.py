from pydantic import BaseModel


class Order(BaseModel):
    id: str


config = {
    "type": "event",
    "name": "OfClass",
    "subscribes": ["order"],
    "emits": [],
    "input": Order,
}


async def handler(input_data, context):
    context.logger.info("class", {"kind": type(input_data).__name__})
