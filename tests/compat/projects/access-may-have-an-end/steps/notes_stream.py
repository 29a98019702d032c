def can_access(subscription, auth_context):
    return subscription["groupId"] == "open" or auth_context["session"] == 1


config = {
    "name": "notes",
    "schema": None,
    "baseConfig": {"storageType": "default"},
    "canAccess": can_access,
}
