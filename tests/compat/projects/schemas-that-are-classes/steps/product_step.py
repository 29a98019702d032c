from pydantic import BaseModel


class Product(BaseModel):
    sku: str
    price: float


config = {
    "type": "api",
    "name": "CreateProduct",
    "path": "/products",
    "method": "POST",
    "emits": [],
    "bodySchema": Product,
    "responseSchema": {201: Product},
}


async def handler(req, context):
    return {"status": 201, "body": req["body"]}
