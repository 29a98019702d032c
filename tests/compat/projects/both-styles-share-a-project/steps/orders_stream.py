config = {"name": "orders", "schema": None, "baseConfig": {"storageType": "default"}}
