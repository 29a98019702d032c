from motia import queue

config = {
    "name": "Deliver",
    "triggers": [queue("mail.wanted"), queue("sms.wanted"), queue("fax.wanted")],
    "enqueues": [],
}


async def handler(input_data, ctx):
    ctx.logger.info(ctx.trigger.topic)
