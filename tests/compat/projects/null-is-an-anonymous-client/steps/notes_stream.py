config = {"name": "notes", "schema": None, "baseConfig": {"storageType": "default"}}


async def can_access(subscription, auth_context):
    return (auth_context is None) == (subscription["groupId"] == "public")


config["canAccess"] = can_access
