import os

asked = []


def can_access(subscription, auth_context):
    asked.append(os.getpid())
    return len(asked) == int(subscription["groupId"]) and len(set(asked)) == 1


config = {
    "name": "notes",
    "schema": None,
    "baseConfig": {"storageType": "default"},
    "canAccess": can_access,
}
