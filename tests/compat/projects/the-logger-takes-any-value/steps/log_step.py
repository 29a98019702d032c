config = {"type": "event", "name": "Log", "subscribes": ["log"], "emits": []}


class Payment:
    def __init__(self):
        self.amount = 5
        self.currency = "EUR"


async def handler(input_data, context):
    context.logger.info("Message alone")
    context.logger.info("Dict", {"id": 1})
    context.logger.warn("Object", Payment())
    context.logger.error("Text", "why")
    context.logger.error("List", [1, 2])
    context.logger.debug("Number", 3)
