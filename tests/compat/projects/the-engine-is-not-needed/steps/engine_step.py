from motia import http

try:
    from motia import get_instance
except ImportError:
    get_instance = None

config = {"name": "Engine", "triggers": [http("GET", "/engine")]}


async def handler(request, ctx):
    return {"status": 200, "body": {"engine": get_instance is not None}}
