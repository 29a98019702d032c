config = {"type": "api", "name": "ExitPlain", "path": "/exit/plain", "method": "GET", "emits": []}


def handler(req, context):
    raise SystemExit(3)
