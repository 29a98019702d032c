import asyncio


async def can_access(subscription, auth):
    if subscription["groupId"] == "waits":
        await asyncio.sleep(600)
    if auth is None:
        raise RuntimeError("nobody")
    return subscription.get("id") == auth["user"]


config = {
    "name": "chat",
    "schema": {"type": "object", "properties": {"text": {"type": "string"}}},
    "baseConfig": {"storageType": "default"},
    "canAccess": can_access,
}
