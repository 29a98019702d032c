from pydantic import BaseModel


class Message(BaseModel):
    text: str


config = {"name": "chat", "schema": Message, "baseConfig": {"storageType": "default"}}
