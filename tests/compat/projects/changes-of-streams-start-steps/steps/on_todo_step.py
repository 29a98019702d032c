from motia import StreamTriggerInput, logger, stream

config = {"name": "OnTodo", "triggers": [stream("todo", group_id="inbox")]}


async def handler(input: StreamTriggerInput) -> None:
    logger.info(
        input.event.type,
        {
            "place": [input.type, input.stream_name, input.group_id, input.id],
            "keys": [input["streamName"], input["groupId"]],
            "data": input.event.data,
            "timestamp": input.timestamp,
        },
    )
