from motia import cron

config = {"name": "Alone", "triggers": [cron("0 0 9 * * *")]}


async def handler(ctx):
    ctx.logger.info("alone", {"type": ctx.trigger.type})
