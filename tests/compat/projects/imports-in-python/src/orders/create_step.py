from src.services.prices import price_of
from steps.shared.clock import now

from ..services.prices import TAX
from .rules import is_allowed

config = {"type": "api", "name": "Create", "path": "/orders/:sku", "method": "POST", "emits": []}


async def handler(req, context):
    from src.services import late

    sku = req["pathParams"]["sku"]
    return {
        "status": 200,
        "body": {
            "price": price_of(sku) + TAX,
            "allowed": is_allowed(sku),
            "at": now(),
            "late": late.VALUE,
        },
    }
