import sys

config = {"type": "api", "name": "Exit", "path": "/exit", "method": "GET", "emits": []}


async def handler(req, context):
    sys.exit(1)
