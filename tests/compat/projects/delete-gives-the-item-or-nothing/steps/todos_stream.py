config = {"name": "todos", "schema": None, "baseConfig": {"storageType": "default"}}
