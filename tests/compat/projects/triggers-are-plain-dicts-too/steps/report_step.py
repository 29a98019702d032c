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
    return {"status": 200, "body": ctx.trigger.type}
