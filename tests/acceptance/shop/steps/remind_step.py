config = {"type": "event", "name": "remind", "subscribes": ["order.reminder"], "emits": []}


def handler(data, context):
    context.state.update("reminders", data["id"], [{"type": "increment", "path": "count", "by": 1}])
