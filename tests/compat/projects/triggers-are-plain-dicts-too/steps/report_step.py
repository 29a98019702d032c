config = {
    "name": "Report",
    "triggers": [
        {"type": "http", "method": "GET", "path": "/report"},
        {"type": "queue", "topic": "report.wanted"},
        {"type": "cron", "expression": "0 0 3 * * *"},
        {"type": "state"},
        {"type": "stream", "streamName": "reports"},
    ],
    "enqueues": [],
    "flows": ["reports"],
}


async def handler(input_data, ctx):
    if ctx.trigger.type == "http":
        await ctx.state.set("reports", "asked", 1)
        await ctx.streams.reports.set("all", "1", {"asked": 1})
    return {"status": 200, "body": [ctx.trigger.type]}
