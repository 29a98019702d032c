from motia import StreamConfig

config = StreamConfig(
    name="notes",
    schema={"type": "object", "properties": {"text": {"type": "string"}}},
    base_config={"storageType": "default"},
)
