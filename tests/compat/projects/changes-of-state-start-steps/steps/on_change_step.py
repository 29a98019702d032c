from motia import StateTriggerInput, logger, state

config = {
    "name": "OnChange",
    "triggers": [state(condition=lambda input, ctx: input.group_id == "users")],
    "flows": ["state-example"],
}


async def handler(input: StateTriggerInput) -> None:
    logger.info(
        "changed",
        {
            "type": input.type,
            "group_id": input.group_id,
            "item_id": input.item_id,
            "old_value": input.old_value,
            "new_value": input.new_value,
        },
    )
