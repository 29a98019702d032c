"""A payment gateway as they are: now and then it does not answer."""

import asyncio


class GatewayTimeout(Exception):
    """The gateway did not answer."""


async def charge(order, *, idempotency_key, attempt):
    """Charges the card and gives a receipt. For the example, the first try always fails."""
    await asyncio.sleep(0.05)
    if attempt == 1:
        raise GatewayTimeout("no answer from the gateway")
    return {"amount": 20 * order["quantity"], "key": idempotency_key}
