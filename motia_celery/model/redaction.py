"""Redaction: values under secret keys are masked before anything is kept or shown of them.

A key is secret if one of the listed words is among its own (``user_password``, ``X-Api-Key``,
``tokenType``) or ends it (``accesstoken``), in any case of A to Z, at any depth. Text that is
itself JSON is looked into as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import orjson

DEFAULT_KEYS: Final = (
    *("password", "passwords", "passwd", "passphrase", "secret", "secrets", "token"),
    *("authorization", "cookie", "cookies", "credential", "credentials", "jwt"),
    *("api_key", "access_key", "private_key", "secret_key", "session_id"),
    *("card_number", "cvc", "cvv"),
)
MASK: Final = "[redacted]"

#: Rarest first; what is no letter comes before them.
_RARE: Final = b"zjqxkvbpgwyfmculdhrsnioate"
_SEPARATORS: Final = b"_-. :/"
_CAMEL = (re.compile(rb"([a-z0-9])([A-Z])"), re.compile(rb"([A-Z])([A-Z][a-z])"))
_SPLIT = re.compile(rb"[_\-. :/]+")
#: How text begins that may be JSON, or JSON of JSON.
_MAY_BE_JSON = re.compile(r"""["\\\s]*[\[{]""")
#: How it begins where it was meant to be, or a dict as Python shows it, and can not be read.
_LIKE_JSON = re.compile(
    r"""["\\\s]*(\{[\\\s]*["'}]|\[[\\\s]*([\[{"']|(null|true|false|-?\d[\d.eE+-]*)\s*,))"""
)
#: Nested deeper than anything that can be written as JSON here.
_DEEPEST = 300


class Redaction:
    """The secret keys of one app: the default ones and ``more``; ``-token`` takes one away."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        given = [key.strip() for key in more]
        away = {_words(key[1:]) for key in given if key.startswith("-")}
        added = (key for key in given if not key.startswith("-"))
        words = dict.fromkeys(map(_words, (*DEFAULT_KEYS, *added)))
        listed = [key for key in words if key not in away | {b"__"}]
        self._listed = tuple(listed)
        self._ends = tuple({_squeezed(key) for key in listed})
        self._any_end = _any_of(self._ends)
        # It is asked of every value: what begins with rare letters is looked for twice as fast.
        self._any_piece = _any_of({_rarest(end) for end in self._ends})
        self._hides = lru_cache(4096)(self._find)

    def hides(self, key: str) -> bool:
        """Whether what stands under this key is secret."""
        # A long key is seldom a name, and is not worth remembering.
        return self._hides(key) if len(key) <= 100 else self._find(key)

    def _find(self, key: str) -> bool:
        words = _words(key)
        squeezed = _squeezed(words)
        return any(one in words for one in self._listed) or squeezed.endswith(self._ends)

    def may_hide(self, text: bytes) -> bool:
        """False where JSON has no secret key for certain; it is cheap to ask."""
        # An escape may stand for a letter of a key inside of text that is JSON itself.
        if b"\\u" in text:
            return bool(self._ends)
        squeezed = _squeezed(text)
        if self._any_piece.search(squeezed) is None:
            return False
        return self._any_end.search(squeezed) is not None

    def json(self, text: bytes) -> bytes:
        """The JSON with its secrets masked; byte for byte the same where it has none."""
        if not self.may_hide(text):
            return text
        try:
            return orjson.dumps(self.value(orjson.loads(text)))
        except (ValueError, TypeError):  # lone surrogates, which only this one reads
            return json.dumps(self.value(json.loads(text))).encode()

    def value(self, value: Any, depth: int = 0) -> Any:
        """The value with its secrets masked; what is no dict, list or text stays as it is."""
        if isinstance(value, str):
            return self._text(value) if _MAY_BE_JSON.match(value) else value
        if depth > _DEEPEST:
            return MASK
        if isinstance(value, dict):
            return {key: self._member(key, item, depth) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item, depth + 1) for item in value]
        return value

    def _member(self, key: object, item: Any, depth: int) -> Any:
        # That something is or is not there tells no secret, and often what went wrong.
        if item is None or isinstance(item, bool):
            return item
        if isinstance(key, str) and self.hides(key):
            return MASK
        return self.value(item, depth + 1)

    def _text(self, text: str) -> str:
        """Text that may be JSON; where it was cut, and so can not be read, all of it is masked."""
        if not self.may_hide(text.encode(errors="replace")):
            return text
        try:
            return orjson.dumps(self.value(orjson.loads(text))).decode()
        except (ValueError, RecursionError):
            return MASK if _LIKE_JSON.match(text) else text


def _any_of(texts: Iterable[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, texts)) or rb"(?!)")


def _rarest(text: bytes) -> bytes:
    """The four letters of the text that begin with the letter that is rarest in English."""
    starts = range(max(1, len(text) - 3))
    return min(
        (text[start : start + 4] for start in starts), key=lambda piece: _RARE.find(piece[0])
    )


def _words(key: str) -> bytes:
    """``X-Api-Key``, ``xApiKey``: both are ``_x_api_key_``."""
    spaced = key.encode(errors="replace")
    for boundary in _CAMEL:
        spaced = boundary.sub(rb"\1_\2", spaced)
    return b"_" + b"_".join(word for word in _SPLIT.split(spaced.lower()) if word) + b"_"


def _squeezed(text: bytes) -> bytes:
    return text.lower().translate(None, _SEPARATORS)


#: What is masked where nothing else is set.
DEFAULT = Redaction()
