config = {
    "type": "event",
    "name": "Report",
    "subscribes": ["report"],
    "emits": [],
    "infrastructure": {
        "handler": {"timeout": 60, "ram": 1024, "cpu": 4},
        "queue": {"visibilityTimeout": 30},
    },
}


async def handler(input_data, context):
    pass
