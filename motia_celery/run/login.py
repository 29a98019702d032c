"""The page that asks for the token: plain HTML without scripts, all that a stranger ever sees."""

from __future__ import annotations

import base64
import hashlib
import html

from motia_celery.run.responses import Header, Response

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:22rem;padding:0 1rem;"
    "color:#111827;background:#fff}"
    "label{display:block;margin:1rem 0 .25rem}"
    "input,button{font:inherit;box-sizing:border-box;width:100%;padding:.5rem .75rem;"
    "border:1px solid #6b7280;border-radius:.375rem;color:inherit;background:transparent}"
    "button{margin-top:1rem;background:#1d4ed8;border-color:#1d4ed8;color:#fff}"
    ".fault{color:#b91c1c}"
    "@media(prefers-color-scheme:dark){body{color:#f3f4f6;background:#111827}"
    ".fault{color:#fca5a5}}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def login_page(status: int, action: str, then: str, fault: str = "") -> Response:
    """The form; it posts the token to ``action`` and asks to be sent to ``then``."""
    said = f'<p class="fault" role="alert">{html.escape(fault)}</p>' if fault else ""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Sign in</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>Sign in</h1>{said}"
        f'<form method="post" action="{html.escape(action)}">'
        f'<input type="hidden" name="then" value="{html.escape(then)}">'
        '<label for="token">Admin token</label>'
        '<input id="token" name="token" type="password" required autofocus '
        'autocomplete="current-password" aria-describedby="hint">'
        '<p id="hint">The app’s setting <code>admin_token</code>.</p>'
        "<button>Sign in</button></form></main></body></html>"
    )
    headers: tuple[Header, ...] = (
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", _POLICY.encode()),
    )
    return Response(status, page.encode(), headers)
