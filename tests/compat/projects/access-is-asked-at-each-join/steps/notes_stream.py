def can_access(subscription, auth_context):
    return subscription in ({"groupId": "open"}, {"groupId": "team", "id": "1"})


config = {
    "name": "notes",
    "schema": None,
    "baseConfig": {"storageType": "default"},
    "canAccess": can_access,
}
