config = {
    "type": "api",
    "name": "Ask",
    "path": "/ask",
    "method": "POST",
    "emits": ["answer.wanted"],
}


async def handler(req, context):
    answer = await context.streams.chat.set(context.trace_id, "answer", {"text": "", "done": False})
    await context.emit({"topic": "answer.wanted", "data": {"question": req["body"]["question"]}})
    return {"status": 200, "body": answer}
