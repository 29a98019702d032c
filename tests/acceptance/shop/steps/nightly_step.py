config = {
    "type": "cron",
    "name": "nightly",
    "cron": "0 3 * * *",
    "timezone": "Europe/Berlin",
    "emits": [],
}


async def handler(context):
    await context.state.set("reports", "orders", len(await context.state.get_group("orders")))
