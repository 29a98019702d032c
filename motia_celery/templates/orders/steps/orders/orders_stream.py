"""What becomes of a customer's orders: a group for each e-mail address, an item for each order."""

config = {
    "name": "orders",
    "schema": {
        "type": "object",
        "properties": {"item": {"type": "string"}, "status": {"type": "string"}},
    },
    "baseConfig": {"storageType": "default"},
}
