"""Clients of streams, as the hooks of Motia 1.0 are told of them, and what the hooks answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from motia_celery.model.members import Members


class StreamSubscription(Members):
    """What a client joins or has left: ``group_id``, and the item's ``id`` or None.

    Its keys are Motia's: ``groupId``, and ``id`` where it is of one item.
    """

    _other_names: ClassVar[Mapping[str, str]] = {"group_id": "groupId"}
    id: str | None

    def __getattr__(self, name: str) -> Any:
        return self.get("id") if name == "id" else super().__getattr__(name)


class StreamAuthInput(Members):
    """A client's handshake: ``headers``, ``path``, ``query_params`` with lists, and ``addr``.

    Its keys are Motia's: ``queryParams``.
    """

    _other_names: ClassVar[Mapping[str, str]] = {"query_params": "queryParams"}


class StreamAuthResult(Members):
    """Whether a client gets in, and what the hooks of streams get of it."""

    def __init__(self, authorized: bool, context: Any = None) -> None:
        super().__init__(authorized=authorized, context=context)
