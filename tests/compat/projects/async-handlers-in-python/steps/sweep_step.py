config = {
    "type": "cron",
    "name": "SweepTickets",
    "cron": "0 0 * * *",
    "emits": [],
    "flows": ["tickets"],
}


async def handler(context):
    await context.state.clear("tickets")
