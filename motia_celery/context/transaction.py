"""``context.transaction()``: changes of state and events, stored together or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from types import TracebackType
from typing import Any

from motia_celery.model.emit import EmitOptions, Moment
from motia_celery.model.event import Event
from motia_celery.model.transaction import StateChange

#: An event and how it is emitted; None for one that is dropped.
Prepared = tuple[Event, EmitOptions] | None


class Noted:
    """Stands for a call that is done when the transaction ends; may be awaited, and gives None."""

    def __await__(self) -> Generator[Any, Any, None]:
        """Nothing to wait for."""
        yield from ()


class TransactionState:
    """The changes of state of a transaction. Reading is done by ``context.state``."""

    def __init__(self) -> None:
        self.changes: list[StateChange] = []

    def set(
        self, group_id: str, key: str, value: Any, *, ttl_seconds: float | None = None
    ) -> Noted:
        """Stores a JSON value when the transaction ends."""
        self.changes.append(StateChange(group_id, key, value, ttl_seconds))
        return Noted()

    def delete(self, group_id: str, key: str) -> Noted:
        """Removes the value when the transaction ends."""
        self.changes.append(StateChange(group_id, key, None))
        return Noted()


class Transaction:
    """Collects, and commits at the end of its ``with`` or ``async with``; an error drops it all."""

    def __init__(
        self,
        prepare: Callable[[Mapping[str, Any]], Prepared],
        commit: Callable[[Transaction], Any],
    ) -> None:
        self.state = TransactionState()
        self.events: list[tuple[Event, EmitOptions]] = []
        self._prepare = prepare
        self._commit = commit

    def emit(
        self,
        event: Mapping[str, Any] | None = None,
        *,
        topic: str | None = None,
        data: Any = None,
        message_group_id: str | None = None,
        delay: float | None = None,
        at: Moment | None = None,
        priority: int | None = None,
        id: str | None = None,
    ) -> Noted:
        """Sends an event after the transaction has ended; takes what ``context.emit`` takes."""
        prepared = self._prepare(
            emit_fields(
                event,
                topic=topic,
                data=data,
                messageGroupId=message_group_id,
                delay=delay,
                at=at,
                priority=priority,
                id=id,
            )
        )
        if prepared is not None:
            self.events.append(prepared)
        return Noted()

    async def __aenter__(self) -> Transaction:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        if kind is None:
            committed: Awaitable[None] = self._commit(self)
            await committed

    def __enter__(self) -> Transaction:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._commit(self)


def emit_fields(event: Mapping[str, Any] | None, **spoken: Any) -> dict[str, Any]:
    """An emit's fields, from Motia's dict and from keywords, which count more."""
    fields = dict(event) if isinstance(event, Mapping) else {}
    for name, value in spoken.items():
        if value is not None:
            fields[name] = value
    return fields
