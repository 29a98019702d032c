from motia import http, state_manager

config = {"name": "State", "triggers": [http("POST", "/state")]}


async def handler(request, ctx):
    order = {"id": "1", "lines": [{"sku": "a", "count": 2}]}
    set_ = await state_manager.set("orders", "1", order)
    again = await state_manager.set("orders", "1", {"id": "1"})
    await state_manager.set("orders", "2", {"id": "2"})
    await state_manager.set("users", "ann", {"name": "Ann"})
    found = await state_manager.get("orders", "2")
    listed = await state_manager.list("orders")
    groups = await state_manager.list_groups()
    deleted = await state_manager.delete("orders", "2")
    missing = await state_manager.get("orders", "2")
    return {
        "status": 200,
        "body": {
            "set": set_,
            "again": again,
            "found": found,
            "plain": "data" not in found,
            "listed": sorted(order["id"] for order in listed),
            "groups": sorted(groups),
            "deleted": deleted,
            "missing": missing,
        },
    }
