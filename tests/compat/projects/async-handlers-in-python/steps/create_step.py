config = {
    "type": "api",
    "name": "CreateTicket",
    "description": "Opens a ticket",
    "path": "/tickets",
    "method": "POST",
    "emits": ["ticket.created"],
    "flows": ["tickets"],
}


async def handler(req, context):
    await context.emit({"topic": "ticket.created", "data": {"title": req["body"]["title"]}})
    return {"status": 201, "body": {"ok": True}}
