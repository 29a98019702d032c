config = {
    "name": "chat",
    "schema": {"type": "object", "properties": {"text": {"type": "string"}}},
    "baseConfig": {"storageType": "default"},
}
