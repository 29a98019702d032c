"""The types of a ``def`` handler's context, whose calls give their values at once.

``def handler(data: Order, context: SyncContext)``. They are for editors and type checkers; what the
handler gets is a :class:`~motia_celery.context.Context`, which knows that it is in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from motia_celery.model.emit import Moment
from motia_celery.observe.logs import StepLogger

if TYPE_CHECKING:
    from motia_celery.context.transaction import Transaction
    from motia_celery.context.trigger import TriggerInfo
    from motia_celery.stores.rule import Updated

_Operations = Iterable[Mapping[str, Any]]


class SyncContext(Protocol):
    """:class:`~motia_celery.context.Context` in a ``def`` handler."""

    logger: StepLogger

    @property
    def state(self) -> SyncState:
        """Values by group and key."""

    @property
    def streams(self) -> SyncStreams:
        """The app's streams."""

    @property
    def trace_id(self) -> str:
        """The W3C trace id that every run from the same cause shares."""

    @property
    def traceId(self) -> str:  # noqa: N802 - Motia's name
        """The same."""

    @property
    def run_id(self) -> str:
        """The id of this run."""

    @property
    def attempt(self) -> int:
        """Which try of the run this is, from 1."""

    @property
    def max_attempts(self) -> int:
        """How many tries the run has."""

    @property
    def flows(self) -> list[str]:
        """The flows of the Step."""

    @property
    def topic(self) -> str | None:
        """The topic of the event that started the run."""

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
        outbox: bool | None = None,
    ) -> bool:
        """Publishes an event; True once it is sent."""

    def enqueue(
        self, event: Mapping[str, Any] | None = None, *, topic: str | None = None, data: Any = None
    ) -> bool:
        """The same as ``emit``, by Motia 1.0's name."""

    @property
    def trigger(self) -> TriggerInfo:
        """What started the run."""

    def is_http(self) -> bool:
        """Whether it was a request."""

    def is_api(self) -> bool:
        """The same, by another name."""

    def is_queue(self) -> bool:
        """Whether it was an event."""

    def is_cron(self) -> bool:
        """Whether it was the clock."""

    def is_state(self) -> bool:
        """Whether it was a change of state: never yet."""

    def is_stream(self) -> bool:
        """Whether it was a change of a stream: never yet."""

    def get_data(self) -> Any:
        """The body of the request, or the event's data; None for cron."""

    def match(self, handlers: Mapping[str, Callable[..., Any]]) -> Any:
        """What the function for the run's trigger returns."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Changes of state, and events, that are stored together or not at all."""


class SyncState(Protocol):
    """``context.state`` in a ``def`` handler."""

    @property
    def plain(self) -> SyncState:
        """The same state, which gives values as they are stored."""

    def get(self, group_id: str, key: str) -> Any:
        """The value, or a falsy one where there is none."""

    def set(self, group_id: str, key: str, value: Any, *, ttl_seconds: float | None = None) -> Any:
        """Stores a JSON value, and gives it back."""

    def update(self, group_id: str, key: str, ops: _Operations) -> Updated:
        """Changes the value in one atomic step."""

    def compare_and_set(
        self,
        group_id: str,
        key: str,
        expected: Any,
        value: Any,
        *,
        ttl_seconds: float | None = None,
    ) -> bool:
        """Stores the value if ``expected`` is there."""

    def delete(self, group_id: str, key: str) -> Any:
        """Removes the value, and gives what was there."""

    def get_group(self, group_id: str) -> list[Any]:
        """Every value of the group."""

    def clear(self, group_id: str) -> None:
        """Removes the whole group."""

    def list_groups(self) -> list[str]:
        """The names of the groups that hold something."""


class SyncStreams(Protocol):
    """``context.streams`` in a ``def`` handler."""

    def __getattr__(self, name: str) -> SyncStream:
        """The stream of that name."""

    def __getitem__(self, name: str) -> SyncStream:
        """The stream of that name."""

    def __contains__(self, name: object) -> bool:
        """Whether there is a stream of that name."""


class SyncStream(Protocol):
    """One stream in a ``def`` handler."""

    def get(self, group_id: str, id: str) -> dict[str, Any] | None:
        """The item, or None."""

    def set(self, group_id: str, id: str, data: Any) -> dict[str, Any] | None:
        """Creates or replaces the item, and gives it."""

    def update(self, group_id: str, id: str, ops: _Operations) -> Updated:
        """Changes the item in one atomic step."""

    def delete(self, group_id: str, id: str) -> dict[str, Any] | None:
        """Removes the item, and gives what was there, or None."""

    def get_group(self, group_id: str) -> list[dict[str, Any]]:
        """The items of the group, oldest first."""

    def list_groups(self) -> list[str]:
        """The names of the groups that hold items."""

    def send(self, channel: Any, event: Any) -> None:
        """Tells subscribers an event that is not stored."""
