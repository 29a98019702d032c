import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../src"))

from services.geo import distance

config = {"type": "api", "name": "Search", "path": "/search", "method": "GET", "emits": []}


async def handler(req, context):
    return {"status": 200, "body": {"distance": distance()}}
