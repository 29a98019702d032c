import hashlib
import hmac

config = {
    "type": "api",
    "name": "StripeWebhook",
    "path": "/webhooks/stripe",
    "method": "POST",
    "emits": [],
}


async def handler(req, context):
    expected = hmac.new(b"secret", req["rawBody"].encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, req["headers"].get("stripe-signature", "")):
        return {"status": 401, "body": {"error": "Invalid signature"}}
    return {"status": 200, "body": {"received": req["body"]["type"]}}
