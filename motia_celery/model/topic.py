"""Topics and subscription patterns, by RabbitMQ's topic rules.

``*`` stands for one word, ``#`` for any number of words, words are parted by dots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Generic, TypeVar

#: AMQP carries a routing key as a short string of at most 255 bytes. The retry path prepends a
#: delay prefix to a queue's name, never to a topic, so a topic may use all of it.
MAX_TOPIC_BYTES = 255


def topic_fault(topic: str) -> str | None:
    """Why ``topic`` can not be emitted, or None."""
    if not topic:
        return "a topic can not be empty"
    try:
        size = len(topic.encode())
    except UnicodeEncodeError:
        return "a topic can not hold a lone surrogate"
    return f"a topic has at most {MAX_TOPIC_BYTES} bytes" if size > MAX_TOPIC_BYTES else None


def pattern_fault(pattern: str) -> str | None:
    """Why ``pattern`` can not be subscribed to, or None."""
    fault = topic_fault(pattern)
    if fault:
        return fault
    for word in pattern.split("."):
        if word not in ("*", "#") and ("*" in word or "#" in word):
            return f"'*' and '#' stand for whole words, so {word!r} would never match"
    return None


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression over the topic with a dot put before each word."""
    words = {"*": r"\.[^.]*", "#": r"(?:\.[^.]*)*"}
    # '#.#' is the same as '#', and would make the expression slow.
    shortest = re.sub(r"(?<![^.])#(\.#)+(?![^.])", "#", pattern)
    return re.compile(
        "".join(words.get(word, r"\." + re.escape(word)) for word in shortest.split("."))
    )


def matches(pattern: str, topic: str) -> bool:
    """Whether a queue bound with ``pattern`` receives ``topic``."""
    if pattern == topic:
        return True
    return _expression(pattern).fullmatch("." + topic) is not None


Subscriber = TypeVar("Subscriber")


class Subscriptions(Generic[Subscriber]):
    """Who hears what. A topic is compared with patterns that hold a wildcard alone."""

    def __init__(self, entries: Iterable[tuple[str, Subscriber]]) -> None:
        self._exact: dict[str, list[Subscriber]] = {}
        self._wild: dict[str, list[Subscriber]] = {}
        for pattern, subscriber in entries:
            kind = self._wild if is_pattern(pattern) else self._exact
            kind.setdefault(pattern, []).append(subscriber)

    def of(self, topic: str) -> set[Subscriber]:
        """Who hears the topic."""
        heard = set(self._exact.get(topic, ()))
        for pattern, subscribers in self._wild.items():
            if matches(pattern, topic):
                heard.update(subscribers)
        return heard


def is_pattern(text: str) -> bool:
    """Whether it may stand for several topics."""
    return any(word in ("*", "#") for word in text.split("."))
