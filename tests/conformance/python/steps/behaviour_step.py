"""What the conformance test asks of a handler, in Python."""

import asyncio

config = {
    "type": "event",
    "name": "behaviour",
    "subscribes": ["x"],
    "emits": [],
    "input": {"type": "object", "properties": {"act": {"type": "string"}}},
}


class OwnError(Exception):
    code = "OWN"


async def echo(data, context):
    return data.get("value")


async def ids(data, context):
    return [
        context.trace_id,
        context.run_id,
        context.attempt,
        context.max_attempts,
        context.flows,
        context.topic,
    ]


async def methods(data, context):
    await context.emit({"topic": "t", "data": {"a": 1}, "messageGroupId": "g"})
    await context.state.set("g", "k", {"n": 1})
    found = await context.state.get("g", "k")
    await context.state.delete("g", "k")
    group = await context.state.get_group("g")
    await context.state.clear("g")
    return {"found": found, "group": group}


async def more_methods(data, context):
    state, chat = context.state, context.streams["chat"]
    ops = [{"type": "increment", "path": "n", "by": 1}]
    return [
        await state.set("g", "k", 1, ttl_seconds=60),
        await state.update("g", "k", ops),
        await state.compare_and_set("g", "k", 1, 2),
        await state.list_groups(),
        await chat.set("room", "1", {"text": "hi"}),
        await chat.get("room", "1"),
        await chat.update("room", "1", ops),
        await chat.get_group("room"),
        await chat.list_groups(),
        await chat.send({"groupId": "room"}, {"type": "typing", "data": {"by": "ann"}}),
        await chat.delete("room", "1"),
    ]


async def together(data, context):
    return await asyncio.gather(*(context.state.get("g", str(n)) for n in range(3)))


async def unawaited(data, context):
    context.emit({"topic": "t", "data": 1})
    context.state.set("g", "k", 2)
    return "returned"


async def catches(data, context):
    try:
        await context.state.get("g", "k")
    except Exception as error:
        return f"caught: {error}"


async def throws(data, context):
    raise OwnError("own words")


async def log(data, context):
    context.logger.info("said", {"a": 1})
    context.logger.warn("careful")
    context.logger.error("wrong", {"b": [None]})
    context.logger.debug("closely")


async def large(data, context):
    return "x" * data["size"]


async def asks_large(data, context):
    await context.state.set("g", "k", "x" * data["size"])


async def wait(data, context):
    await asyncio.sleep(data["seconds"])
    return data["seconds"]


async def busy(data, context):
    context.logger.info("busy")
    while True:
        pass


async def prints(data, context):
    print("printed " + "x" * data["size"])
    return "printed"


async def returns_bytes(data, context):
    return {"body": b"\x00\x01\xff"}


async def handler(data, context):
    return await globals()[data["act"]](data, context)
