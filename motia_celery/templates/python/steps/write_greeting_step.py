"""Hears of each name, and writes its greeting. If it raises, it is tried again."""

config = {
    "type": "event",
    "name": "write-greeting",
    "description": "Writes the greeting",
    "subscribes": ["greeting.asked"],
    "emits": [],
    "flows": ["greetings"],
}


async def handler(greeting, context):
    text = f"Hello, {greeting['name']}!"
    await context.state.set("greetings", greeting["id"], {**greeting, "text": text})
    context.logger.info(text, {"attempt": context.attempt})
