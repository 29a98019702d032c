"""URLs of servers, as they may be shown."""

from __future__ import annotations

import re


def masked_url(url: str) -> str:
    """The URL without its password and query, fit for a terminal or a log.

    Passwords are often written without escapes, so all before the last ``@`` is taken for one.
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return "***"
    credentials, at, address = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    shown = f"{user}:***@" if colon and re.fullmatch(r"[\w.%-]*", user) else "***@" if at else ""
    return f"{scheme}://{shown}{re.split('[?#]', address)[0]}"
