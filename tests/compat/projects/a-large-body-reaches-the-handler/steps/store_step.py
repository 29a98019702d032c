config = {
    "type": "event",
    "name": "StoreProducts",
    "subscribes": ["products.imported"],
    "emits": [],
}


async def handler(input_data, context):
    await context.state.set("products", "count", len(input_data["products"]))
