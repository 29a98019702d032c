config = {"name": "todo", "schema": None, "baseConfig": {"storageType": "default"}}
