async def on_join(subscription, context, auth):
    if auth is None:
        raise RuntimeError("nobody")
    before = await context.state.get("joined", subscription["groupId"])
    context.logger.info("joined")
    return {"unauthorized": auth["user"] == before}


def on_leave(subscription, context, auth):
    context.state.delete("joined", subscription["groupId"])  # finished before the answer


config = {"name": "hooked", "onJoin": on_join, "onLeave": on_leave}
