from motia import cron

config = {"name": "Both", "triggers": [cron("0 0 9 * * *")]}


async def handler(input_data, ctx):
    ctx.logger.info("both", {"input": input_data})
