config = {"name": "room", "schema": None, "baseConfig": {"storageType": "default"}}
