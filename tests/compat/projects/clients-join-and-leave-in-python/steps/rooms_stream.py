from motia import StreamConfig, StreamSubscription, logger, state_manager


async def on_join(subscription: StreamSubscription, ctx, auth_context):
    logger.info("joined", {"place": [subscription.group_id, subscription.id], **auth_context})
    return {"unauthorized": auth_context["user"] != "ann"}


async def on_leave(subscription: StreamSubscription, ctx, auth_context):
    await state_manager.set("left", auth_context["user"], subscription.group_id)


config = StreamConfig(name="rooms", on_join=on_join, on_leave=on_leave)
