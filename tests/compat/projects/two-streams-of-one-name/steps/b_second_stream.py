config = {
    "name": "same",
    "schema": {"type": "object", "properties": {"second": {"type": "string"}}},
    "baseConfig": {"storageType": "default"},
}
