config = {"name": "notes", "schema": None, "baseConfig": {"storageType": "default"}}
