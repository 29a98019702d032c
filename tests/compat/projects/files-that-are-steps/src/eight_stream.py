config = {"name": "eight", "schema": {}, "baseConfig": {"storageType": "default"}}
