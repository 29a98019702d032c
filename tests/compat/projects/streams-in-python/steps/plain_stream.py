config = {"name": "plain", "baseConfig": {"storageType": "default"}, "schema": None}
