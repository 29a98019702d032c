"""The messages of the live feed, each told apart by its ``type``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from motia_celery.workbench.shapes.app import QueueView
from motia_celery.workbench.shapes.runs import LogLine, RunView
from motia_celery.workbench.shapes.shape import Moment, Shape
from motia_celery.workbench.shapes.stores import StateItem

Want = Literal["runs", "logs", "queues", "state", "streams"]


class ResetMessage(Shape):
    """The first one; later, some messages were missed: what is shown must be fetched anew."""

    type: Literal["reset"] = "reset"
    at: Moment


class RunMessage(Shape):
    """A run that began, changed or ended, as it is now."""

    type: Literal["run"] = "run"
    run: RunView


class LogMessage(Shape):
    """Lines that were logged, oldest first."""

    type: Literal["logs"] = "logs"
    lines: tuple[LogLine, ...]


class QueuesMessage(Shape):
    """The queues that changed since the last such message."""

    type: Literal["queues"] = "queues"
    at: Moment
    queues: tuple[QueueView, ...]


class DeadLettersMessage(Shape):
    """How many dead letters there are."""

    type: Literal["dead_letters"] = "dead_letters"
    count: int


class StateMessage(Shape):
    """A value that was changed, by whatever process; ``item`` is what is there now.

    Without a ``key`` the whole group is gone (``clear``), or more of it changed than is told.
    Without an ``item``, where one was ``set``, it must be fetched.
    """

    type: Literal["state"] = "state"
    group: str
    key: str | None = None
    change: Literal["set", "delete", "clear"]
    item: StateItem | None = None


class StreamMessage(Shape):
    """A stream's item that changed, or an event that was sent; large data is left out."""

    type: Literal["stream"] = "stream"
    stream: str
    group: str
    id: str | None
    change: Literal["create", "update", "delete", "event"]
    version: int
    data: Any = None
    truncated: bool = False


AnyMessage = (
    ResetMessage
    | RunMessage
    | LogMessage
    | QueuesMessage
    | DeadLettersMessage
    | StateMessage
    | StreamMessage
)


class FeedMessage(RootModel[Annotated[AnyMessage, Field(discriminator="type")]]):
    """What the data of each server-sent event holds."""
