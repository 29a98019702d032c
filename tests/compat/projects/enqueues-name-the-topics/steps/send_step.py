from motia import enqueue, queue

config = {
    "name": "Send",
    "triggers": [queue("send")],
    "enqueues": ["mail.wanted", {"topic": "sms.wanted", "label": "by text", "conditional": True}],
    "virtualEnqueues": ["mail.read"],
    "virtualSubscribes": ["mail.shown"],
    "includeFiles": ["templates/*.html"],
}


async def handler(input_data, ctx):
    for topic in ("mail.wanted", "sms.wanted", "fax.wanted"):
        await enqueue({"topic": topic, "data": input_data})
