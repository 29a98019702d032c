config = {"type": "event", "name": "broken", "subscribes": ["x"]}

raise RuntimeError("broken on purpose")
