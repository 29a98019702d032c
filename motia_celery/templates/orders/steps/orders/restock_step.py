"""Every ten seconds: fills up what runs low."""

from .services.warehouse import restock

config = {
    "type": "cron",
    "name": "restock",
    "description": "Fills up what runs low",
    "cron": "*/10 * * * * *",
    "emits": [],
    "flows": ["orders"],
}


async def handler(context):
    refilled = await restock(context.state)
    await context.state.set(
        "warehouse", "last-restock", {"trace": context.trace_id, "items": refilled}
    )
    context.logger.info("Looked through the shelves", {"refilled": refilled})
