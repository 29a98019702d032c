from motia import Stream, StreamConfig

config = StreamConfig(name="todos", stream_schema={"type": "object", "properties": {}})
todos: Stream[dict[str, str]] = Stream(config)
