import json
from pathlib import Path

PRICES = json.loads((Path(__file__).parent / "prices.json").read_text())
TAX = 1


def price_of(sku):
    return PRICES[sku]
