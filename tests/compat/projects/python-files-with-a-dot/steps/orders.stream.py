config = {"name": "orders", "schema": {}, "baseConfig": {"storageType": "default"}}
