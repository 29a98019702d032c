import package_that_is_not_installed

config = {"type": "cron", "name": "Broken", "cron": "* * * * *", "emits": []}


async def handler(context):
    package_that_is_not_installed.work()
