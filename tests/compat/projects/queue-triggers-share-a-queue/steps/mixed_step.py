from motia import queue

config = {
    "name": "Mixed",
    "triggers": [
        queue("first", config={"maxRetries": 1}),
        queue("second", config={"maxRetries": 5}),
    ],
}


async def handler(input_data, ctx):
    raise ValueError("no")
