config = {"name": "open", "schema": None, "baseConfig": {"storageType": "default"}}
