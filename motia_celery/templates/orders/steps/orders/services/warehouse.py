"""The stock, kept in state."""

SHELF = {"lamp": 5, "chair": 3, "table": 1}


async def reserve(state, item, quantity):
    """Takes items off the shelf; False when there are not enough."""
    while True:
        found = await state.plain.get("stock", item)
        left = SHELF.get(item, 0) if found is None else found
        if left < quantity:
            return False
        # Another order may have taken some meanwhile; then look again.
        if await state.compare_and_set("stock", item, found, left - quantity):
            return True


async def restock(state):
    """Puts back what is below half; gives the names of those items."""
    low = []
    for item, full in SHELF.items():
        left = await state.get("stock", item)
        if isinstance(left, int) and left * 2 < full:
            await state.set("stock", item, full)
            low.append(item)
    return low
