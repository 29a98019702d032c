from pydantic import BaseModel
from src.models import Product


class Problem(BaseModel):
    error: str


config = {
    "type": "api",
    "name": "CreateProduct",
    "description": "Adds a product",
    "path": "/products",
    "method": "POST",
    "emits": [],
    "flows": ["shop"],
    "bodySchema": Product.model_json_schema(),
    "responseSchema": {201: Product.model_json_schema(), 409: Problem.model_json_schema()},
}


async def handler(req, context):
    return {"status": 201, "body": req["body"]}
