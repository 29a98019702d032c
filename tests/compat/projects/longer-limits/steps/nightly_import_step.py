config = {
    "type": "event",
    "name": "NightlyImport",
    "subscribes": ["import"],
    "emits": [],
    "infrastructure": {
        "handler": {"timeout": 3600},
        "queue": {"delaySeconds": 86400, "visibilityTimeout": 7200},
    },
}


async def handler(input_data, context):
    pass
