from motia import logger, queue

config = {
    "name": "Charge",
    "triggers": [
        queue(
            "order.made",
            input={
                "type": "object",
                "properties": {"amount": {"type": "number"}},
                "required": ["amount"],
            },
        )
    ],
}


async def handler(input_data, ctx):
    logger.info("ran", {"data": input_data})
