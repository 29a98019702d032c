from motia import queue

config = {
    "name": "Charge",
    "triggers": [
        queue(
            "order.made",
            config={
                "type": "standard",
                "maxRetries": 2,
                "visibilityTimeout": 60,
                "backoffType": "fixed",
                "backoffDelayMs": 5000,
                "concurrency": 2,
            },
        )
    ],
    "enqueues": [],
}


async def handler(input_data, ctx):
    raise RuntimeError("the gateway is away")
