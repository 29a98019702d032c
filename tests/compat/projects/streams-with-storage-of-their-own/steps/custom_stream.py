config = {
    "name": "custom",
    "schema": {"type": "object", "properties": {}},
    "baseConfig": {"storageType": "custom", "factory": lambda: None},
}
