config = {"name": "notes", "schema": None, "baseConfig": {"storageType": "default"}}


async def can_access(subscription, auth_context):
    return str(auth_context["asked"]) == subscription["groupId"]


config["canAccess"] = can_access
