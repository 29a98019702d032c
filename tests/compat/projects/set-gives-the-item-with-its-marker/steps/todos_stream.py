config = {
    "name": "todos",
    "schema": {"type": "object", "properties": {"text": {"type": "string"}}},
    "baseConfig": {"storageType": "default"},
}
