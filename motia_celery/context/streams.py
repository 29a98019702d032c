"""``context.streams``: the place of the live streams."""

from __future__ import annotations

from typing import NoReturn

from motia_celery.errors import FrameworkError


class Streams:
    """Names the streams of the app; this version knows them but can not change them yet."""

    def __init__(self, names: frozenset[str] = frozenset()) -> None:
        self._names = names

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise FrameworkError(
            "streams can not be used from a handler in this version.",
            f"context.streams.{name}",
            "Keep the value in context.state for now.",
        )

    def __getitem__(self, name: str) -> NoReturn:
        self.__getattr__(name)
