from typing import Any

config = {"type": "event", "name": "first", "subscribes": ["first"], "emits": ["second"]}


async def handler(data: Any, context: Any) -> None:
    await context.emit(topic="second", data=data)
