"""Sessions of the admin pages: a signed value that expires, in place of the token."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable

_VALUE = re.compile(r"1\.(\d{1,12})\.([\w-]{16,64})\.([0-9a-f]{64})", re.ASCII)
_PURPOSE = b"motia-celery admin session 1"


def same_secret(given: str, expected: str) -> bool:
    """Whether both are the same, in a time that tells nothing of either, nor of its length."""
    return hmac.compare_digest(_digest(given), _digest(expected))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class Sessions:
    """Makes and reads session values. Their key is made of the token: a new token ends them all."""

    def __init__(
        self, token: str, lifetime_seconds: float, now: Callable[[], float] = time.time
    ) -> None:
        self._key = hmac.digest(token.encode(), _PURPOSE, "sha256")
        self._now = now
        self.lifetime_seconds = int(lifetime_seconds)

    def issue(self) -> str:
        """A new value; it holds until its lifetime is over."""
        body = f"1.{int(self._now()) + self.lifetime_seconds}.{secrets.token_urlsafe(16)}"
        return f"{body}.{self._signature(body)}"

    def expiry(self, value: str) -> int | None:
        """The epoch second until which the value holds; None for one that is forged or over."""
        found = _VALUE.fullmatch(value)
        if found is None:
            return None
        body, _, signature = value.rpartition(".")
        if not hmac.compare_digest(signature, self._signature(body)):
            return None
        expires = int(found[1])
        return expires if expires > self._now() else None

    def _signature(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), "sha256").hexdigest()
