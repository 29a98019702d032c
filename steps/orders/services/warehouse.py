"""The stock, kept in state."""

SHELF = {"lamp": 5, "chair": 3, "table": 1}


async def reserve(state, item, quantity):
    """Takes items off the shelf; False when there are not enough."""
    left = await state.get("stock", item)
    if isinstance(left, dict):  # nothing was ever sold
        left = SHELF.get(item, 0)
    if left < quantity:
        return False
    await state.set("stock", item, left - quantity)
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
