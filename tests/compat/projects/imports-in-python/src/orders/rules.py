from ..services.prices import PRICES


def is_allowed(sku):
    return sku in PRICES
