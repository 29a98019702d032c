async def can_access(subscription, auth_context):
    return subscription.get("id") == "mine"


config = {
    "name": "awaited",
    "schema": {"type": "object", "properties": {}},
    "baseConfig": {"storageType": "default"},
    "canAccess": can_access,
}
