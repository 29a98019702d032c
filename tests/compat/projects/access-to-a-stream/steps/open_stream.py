config = {"name": "open", "schema": {}, "baseConfig": {"storageType": "default"}}
