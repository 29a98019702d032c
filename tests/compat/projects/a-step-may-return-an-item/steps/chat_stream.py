config = {"name": "chat", "schema": None, "baseConfig": {"storageType": "default"}}
