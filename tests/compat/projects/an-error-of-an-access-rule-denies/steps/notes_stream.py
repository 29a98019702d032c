async def can_access(subscription, auth_context):
    return auth_context["user"] == "ann"  # there is no context


config = {
    "name": "notes",
    "schema": None,
    "baseConfig": {"storageType": "default"},
    "canAccess": can_access,
}
