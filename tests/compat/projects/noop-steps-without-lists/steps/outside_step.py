config = {"type": "noop", "name": "Outside", "flows": ["partner"]}
