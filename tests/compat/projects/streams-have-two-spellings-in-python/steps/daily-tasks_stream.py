config = {"name": "daily-tasks", "schema": None, "baseConfig": {"storageType": "default"}}
