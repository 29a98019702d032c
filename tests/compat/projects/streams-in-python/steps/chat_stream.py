from pydantic import BaseModel


class Message(BaseModel):
    text: str


config = {
    "name": "chat",
    "schema": Message.model_json_schema(),
    "baseConfig": {"storageType": "default"},
}
