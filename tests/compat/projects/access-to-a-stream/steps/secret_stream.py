def can_access(subscription, auth_context):
    return subscription["groupId"] == "public" or (auth_context or {}).get("role") == "admin"


config = {
    "name": "secret",
    "schema": {"type": "object", "properties": {}},
    "baseConfig": {"storageType": "default"},
    "canAccess": can_access,
}
