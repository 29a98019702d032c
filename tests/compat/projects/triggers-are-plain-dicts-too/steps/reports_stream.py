config = {"name": "reports", "baseConfig": {"storageType": "default"}}
