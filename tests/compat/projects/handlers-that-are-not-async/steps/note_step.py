config = {"type": "event", "name": "Note", "subscribes": ["priced"], "emits": []}


def handler(input_data, context):
    context.state.set("notes", input_data["sku"], {"seen": True})
