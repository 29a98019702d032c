"""The page that asks for the token: plain HTML without scripts, all that a stranger ever sees."""

from __future__ import annotations

import base64
import hashlib
import html

from motia_celery.run.responses import Header, Response

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:21rem;padding:0 1rem;"
    "color:#1d1d1b;background:#f7f7f6}"
    "h1{font-size:1.25rem}label{display:block;margin:1rem 0 .25rem}#hint{color:#5c5c57}"
    "input,button{font:inherit;box-sizing:border-box;width:100%;padding:.5rem .75rem;"
    "border:1px solid #8a8a84;border-radius:.375rem;color:inherit;background:#fff}"
    "button{margin-top:.5rem;background:#4355c7;border-color:#4355c7;color:#fff;cursor:pointer}"
    ":focus-visible{outline:2px solid #4355c7;outline-offset:1px}"
    ".fault{color:#b3261e}"
    "@media(prefers-color-scheme:dark){body{color:#ececf0;background:#131316}"
    "#hint{color:#a6a6b0}input{background:#1a1a1e}"
    "button{background:#5264dc;border-color:#5264dc}:focus-visible{outline-color:#98a5f9}"
    ".fault{color:#ff8d83}}"
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
