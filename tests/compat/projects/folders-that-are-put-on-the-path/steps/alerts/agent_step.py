from helpers.clock import now
from pydantic import BaseModel, Field


class AlertInput(BaseModel):
    query: str = Field(..., description="What happened")


config = {
    "type": "event",
    "name": "Agent",
    "subscribes": ["process-alert"],
    "emits": [],
    "input": AlertInput.model_json_schema(),
}


async def handler(input_data, context):
    alert = AlertInput(**input_data)
    context.logger.info(f"{now()} {alert.query}")
