config = {"name": "notes", "schema": None, "baseConfig": {"storageType": "default"}}


async def can_access(subscription, auth_context):
    return auth_context == {"user": "Ann", "url": "/live?room=1"}


config["canAccess"] = can_access
