"""What the Workbench shows and acts on, given to it by the process that serves it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Request

from motia_celery.broker.depths import DepthReader
from motia_celery.broker.inspection import Inspector
from motia_celery.broker.publisher import Publisher
from motia_celery.broker.ticks import TickReader
from motia_celery.plan import Plan
from motia_celery.settings import Settings
from motia_celery.stores.state import StateStore
from motia_celery.stores.state_changes import StateChange
from motia_celery.stores.streams import StreamStore
from motia_celery.workbench.drawings import Drawings
from motia_celery.workbench.hub import Hub
from motia_celery.workbench.sampling import Samples
from motia_celery.workbench.shapes.feed import LogMessage, RunMessage
from motia_celery.workbench.shapes.runs import (
    Logs,
    LogsQuery,
    RunDetail,
    Runs,
    RunsQuery,
    RunStatus,
    TraceView,
)

#: Changes of state as they are made, from the first None on; None where some may have been lost.
StateChanges = AsyncGenerator[tuple[StateChange, ...] | None, None]


class Control(Protocol):
    """Pauses, resumes and calls off. Every method blocks."""

    def paused(self) -> tuple[str, ...]:
        """The names of the paused Steps."""

    def pause(self, step: str) -> bool:
        """Pauses a Step; False if it was paused already."""

    def resume(self, step: str) -> bool:
        """Lets a Step go on; False if it was not paused."""

    def cancel_run(self, run_id: str) -> None:
        """Calls off a run."""

    def cancel_trace(self, trace_id: str) -> None:
        """Calls off every run of a trace."""

    def cancel_queued(self, step: str) -> int:
        """Drops what waits for a Step, and gives the number of messages."""


class Records(Protocol):
    """The runs and logs that are kept."""

    async def runs(self, query: RunsQuery) -> Runs:
        """A page of runs, newest first."""

    async def tally(self) -> Mapping[tuple[str, RunStatus], int]:
        """How many of the latest runs there are, by Step and status."""

    async def run(self, run_id: str) -> RunDetail | None:
        """One run, or None."""

    async def trace(self, trace_id: str) -> TraceView | None:
        """All runs of a trace, or None."""

    async def logs(self, query: LogsQuery) -> Logs:
        """A page of lines, newest first."""

    async def clear(self) -> None:
        """Forgets all runs, traces and logs."""

    def changes(self) -> AsyncGenerator[RunMessage | LogMessage | None, None]:
        """Runs as they change and lines as they are logged; None where some may have been lost."""

    def close(self) -> None:
        """Lets go of its connections; it blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that the endpoints need. Without ``records`` nothing is known of past runs."""

    settings: Settings
    plan: Plan
    publisher: Publisher
    state: StateStore
    streams: StreamStore
    control: Control
    depths: DepthReader
    inspector: Inspector
    ticks: TickReader
    state_changes: Callable[[], StateChanges] | None = None
    records: Records | None = None
    samples: Samples = field(default_factory=Samples)
    drawings: Drawings = field(default_factory=Drawings)
    hub: Hub = field(default_factory=Hub)


def _sources(request: Request) -> Sources:
    sources: Sources = request.app.state.sources
    return sources


#: An endpoint's parameter of this type gets the app's sources.
From = Annotated[Sources, Depends(_sources)]
