config = {"name": "notes", "schema": None, "baseConfig": {"storageType": "default"}}


async def can_access(subscription, auth_context):
    return auth_context["user"] == subscription["groupId"]


config["canAccess"] = can_access
