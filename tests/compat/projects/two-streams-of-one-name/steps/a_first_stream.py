config = {
    "name": "same",
    "schema": {"type": "object", "properties": {"first": {"type": "string"}}},
    "baseConfig": {"storageType": "default"},
}
