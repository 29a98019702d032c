from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel

config = {"type": "api", "name": "Invoice", "path": "/invoice", "method": "GET", "emits": []}


class Line(BaseModel):
    sku: str


@dataclass
class Customer:
    name: str


async def handler(req, context):
    return {
        "status": 200,
        "body": {
            "line": Line(sku="a"),
            "customer": Customer("Ada"),
            "total": Decimal("1.50"),
            "due": date(2030, 1, 31),
            "at": datetime(2030, 1, 31, tzinfo=UTC),
            "id": UUID(int=0),
            "tags": {"x"},
        },
    }
