"""GET /greetings/:id: the greeting, once it is written."""

config = {
    "type": "api",
    "name": "get-greeting",
    "description": "Shows a greeting",
    "method": "GET",
    "path": "/greetings/:id",
    "emits": [],
    "flows": ["greetings"],
}


async def handler(req, context):
    greeting = await context.state.get("greetings", req["pathParams"]["id"])
    if not greeting:
        return {"status": 404, "body": {"error": "There is no such greeting yet"}}
    return {"status": 200, "body": greeting}
