class CardDeclined(Exception):
    pass


def charge(order, attempt):
    if order.get("declined"):
        raise CardDeclined(order["id"])
    if attempt <= order.get("outages", 0):
        raise ConnectionError("the gateway is away")
    return f"receipt-{attempt}"
