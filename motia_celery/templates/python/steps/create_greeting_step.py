"""POST /greetings: takes a name, answers at once, and lets an event do the work."""

from pydantic import BaseModel, Field


class Asked(BaseModel):
    name: str = Field(min_length=1, examples=["Ann"])


config = {
    "type": "api",
    "name": "create-greeting",
    "description": "Takes a name",
    "method": "POST",
    "path": "/greetings",
    "bodySchema": Asked,
    "validateBody": True,
    "emits": ["greeting.asked"],
    "flows": ["greetings"],
}


async def handler(req, context):
    greeting = {"id": context.run_id, "name": req["body"]["name"]}
    await context.emit({"topic": "greeting.asked", "data": greeting})
    context.logger.info("Asked for a greeting", greeting)
    return {"status": 202, "body": {"id": greeting["id"]}}
