config = {"type": "api", "name": "Type", "path": "/typing", "method": "POST", "emits": []}


async def handler(req, context):
    room = context.streams.room
    await room.send({"groupId": "lobby"}, {"type": "typing", "data": req["body"]})
    await room.send({"groupId": "lobby", "id": "m1"}, {"type": "seen", "data": 1})
    return {"status": 200, "body": await room.get_group("lobby")}
