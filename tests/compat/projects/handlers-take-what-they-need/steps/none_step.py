from motia import http

config = {"name": "None", "triggers": [http("POST", "/none")]}


async def handler():
    return {"status": 200, "body": {"none": True}}
