from dataclasses import dataclass
from datetime import date

config = {"type": "api", "name": "Save", "path": "/save", "method": "POST", "emits": []}


@dataclass
class Invoice:
    number: int
    due: date


async def handler(req, context):
    await context.state.set("things", "good", {"ids": [1, 2]})
    try:
        await context.state.set("things", "good", {"ids": {1, 2}})
    except Exception as error:
        told = str(error)
    invoice = await context.state.set("things", "invoice", Invoice(7, date(2030, 1, 2)))
    good = await context.state.get("things", "good")
    return {"status": 200, "body": {"told": told, "is": good, "invoice": invoice}}
