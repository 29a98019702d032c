from pydantic import BaseModel


class Order(BaseModel):
    id: str


config = {
    "type": "event",
    "name": "OfModel",
    "subscribes": ["order"],
    "emits": [],
    "input": Order.model_json_schema(),
}


async def handler(input_data, context):
    context.logger.info("model", {"kind": type(input_data).__name__})
