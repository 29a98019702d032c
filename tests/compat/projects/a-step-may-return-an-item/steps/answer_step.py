config = {"type": "event", "name": "Answer", "subscribes": ["answer.wanted"], "emits": []}


async def handler(input, context):
    text = ""
    for word in input["question"].upper().split():
        text = f"{text} {word}".strip()
        await context.streams.chat.set(context.trace_id, "answer", {"text": text, "done": False})
    await context.streams.chat.set(context.trace_id, "answer", {"text": text, "done": True})
