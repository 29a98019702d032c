config = {
    "name": "parcels",
    "schema": None,
    "baseConfig": {"storageType": "default"},
    "canAccess": lambda subscription, auth: subscription["groupId"] == "all",
}
