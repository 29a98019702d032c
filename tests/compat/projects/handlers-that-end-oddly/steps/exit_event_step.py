import sys

config = {
    "type": "event",
    "name": "ExitEvent",
    "subscribes": ["exit"],
    "emits": [],
    "infrastructure": {"queue": {"maxRetries": 1}},
}


async def handler(input_data, context):
    sys.exit("could not connect")
