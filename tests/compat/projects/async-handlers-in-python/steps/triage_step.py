config = {
    "type": "event",
    "name": "TriageTicket",
    "subscribes": ["ticket.created"],
    "emits": [],
    "flows": ["tickets"],
}


async def handler(input_data, ctx):
    await ctx.state.set("tickets", input_data["title"], {"open": True})
